"""Bounds on how much larger the arrays of a distilled set may be than those of its file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distillkit.utils._file_bounds import largest_content

__all__ = ["rows_outgrow", "text_outgrows"]

_BYTES = 8  # of the floats in which rows are interpolated


def rows_outgrow(stored: np.ndarray, sides: Sequence[int], tensors: Mapping[str, np.ndarray]) -> bool:
    """Return whether rows that are stored smaller take too much room at full size.

    Parameters
    ----------
    stored : ndarray of shape (m, channels, ...)
    sides : sequence of int
        Sides at full size.
    tensors : mapping of str to ndarray
        All arrays of the file.
    """
    return math.prod((_BYTES, *stored.shape[:2], *sides)) > largest_content(_total(tensors))


def text_outgrows(dtype: np.dtype[Any], n_labels: int, tensors: Mapping[str, np.ndarray]) -> bool:
    """Return whether labels of a dtype, which the file holds as codes, take too much room."""
    return dtype.kind == "U" and dtype.itemsize * n_labels > largest_content(_total(tensors))


def _total(tensors: Mapping[str, np.ndarray]) -> int:
    return sum(values.nbytes for values in tensors.values())
