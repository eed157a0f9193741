"""Bytes of training sets and distilled sets, both in the unit in which the data are stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["distilled_bytes", "training_bytes"]

_TRAINING_ARRAYS = ("X_train.npy", "y_train.npy", "weight_train.npy")


def training_bytes(folder: Path) -> int:
    """Return the bytes of the rows, targets and weights of the training part of prepared data.

    Images count as they are stored, one byte for each value of a gray image: the float numbers that
    methods compute with need four times as many.
    """
    return sum(_array(folder / name).nbytes for name in _TRAINING_ARRAYS if (folder / name).is_file())


def distilled_bytes(distilled: DistilledSet, folder: Path) -> int:
    """Return the bytes of a distilled set beside those of the training set that it was made from.

    Rows that were picked from the training rows count in the type of the stored data, because their
    values are exactly those. Rows that were made count in the type of their numbers, usually four
    bytes each.

    Parameters
    ----------
    distilled : DistilledSet
    folder : Path
        Folder of the prepared data.
    """
    if distilled.indices is None or distilled.preprocessing is not None or distilled.stored is not None:
        return distilled.nbytes
    as_stored = distilled.X.size * _array(folder / _TRAINING_ARRAYS[0]).dtype.itemsize
    return int(distilled.nbytes - distilled.X.nbytes + as_stored)


def _array(path: Path) -> np.ndarray:
    """Open an array without reading its values."""
    return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
