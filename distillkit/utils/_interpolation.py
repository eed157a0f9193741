"""Linear interpolation of small images and series to larger ones, and its inverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["expand", "interpolation_matrix", "is_expansion", "shrink", "smaller_sides", "to_dtype"]


def smaller_sides(sides: Sequence[int], factor: int) -> tuple[int, ...]:
    """Return the sides of images or series that are smaller by `factor`, rounded up."""
    return tuple(-(-side // factor) for side in sides)


def _taps(size: int, of: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both neighbors of each position, and the weight of the second, along one axis.

    There are `size` output positions on an axis of `of` values.
    """
    positions = np.clip((np.arange(size) + 0.5) * of / size - 0.5, 0, of - 1)
    first = np.minimum(positions.astype(np.int64), max(of - 2, 0))
    return first, np.minimum(first + 1, of - 1), positions - first


def interpolation_matrix(size: int, of: int) -> np.ndarray:
    """Return the matrix (size, of) of linear interpolation along one axis, whose rows sum to 1.

    Values lie at the centers of equal intervals and are constant beyond the outermost centers; this
    is bilinear interpolation with half-pixel centers, as in image processing.
    """
    first, second, weight = _taps(size, of)
    matrix = np.zeros((size, of))
    matrix[np.arange(size), first] += 1 - weight
    matrix[np.arange(size), second] += weight
    return matrix


def expand(stored: np.ndarray, sides: Sequence[int]) -> np.ndarray:
    """Interpolate rows (m, channels, ...) to larger sides in their dtype; integers are rounded.

    Every value is computed independently, so that the same rows give the same bits on every
    machine.
    """
    rows = np.asarray(stored, dtype=np.float64)
    for axis, size in enumerate(sides, start=2):
        first, second, weight = _taps(size, rows.shape[axis])
        weight = weight.reshape(-1, *[1] * (rows.ndim - axis - 1))
        rows = np.take(rows, first, axis) * (1 - weight) + np.take(rows, second, axis) * weight
    return to_dtype(rows, stored.dtype)


def is_expansion(rows: np.ndarray, stored: np.ndarray) -> bool:
    """Whether `rows` are the result of `expand` for the stored rows, bit for bit."""
    compatible = stored.shape[:2] == rows.shape[:2] and stored.ndim == rows.ndim > 2 and stored.dtype == rows.dtype
    return compatible and np.array_equal(expand(stored, rows.shape[2:]), rows)


def shrink(rows: np.ndarray, sides: Sequence[int]) -> np.ndarray:
    """Return smaller float64 rows that `expand` maps nearest to the given rows (least squares)."""
    small = np.asarray(rows, dtype=np.float64)
    for axis, size in enumerate(sides, start=2):
        inverse = np.linalg.pinv(interpolation_matrix(small.shape[axis], size))
        small = np.moveaxis(np.moveaxis(small, axis, -1) @ inverse.T, -1, axis)
    return small


def to_dtype(rows: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Cast synthetic rows to the dtype of the input; integers are rounded and clipped."""
    if dtype.kind == "b":
        return np.asarray(rows >= 0.5)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        rows = np.clip(np.rint(rows), limits.min, limits.max)
    cast: np.ndarray = rows.astype(dtype, copy=False)
    return cast
