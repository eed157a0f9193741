"""Images and series of fewer numbers, and the linear interpolation that makes whole ones of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["expand", "interpolation_matrix", "is_expansion", "shrink", "smaller_sides", "to_dtype"]


def smaller_sides(sides: Sequence[int], factor: int) -> tuple[int, ...]:
    """Return the sides of rows whose own are `factor` times as large, rounded up."""
    return tuple(-(-side // factor) for side in sides)


def _taps(size: int, of: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for `size` places along a line of `of` numbers, the two numbers around each and the weight of the second."""
    places = np.clip((np.arange(size) + 0.5) * of / size - 0.5, 0, of - 1)
    first = np.minimum(places.astype(np.int64), max(of - 2, 0))
    return first, np.minimum(first + 1, of - 1), places - first


def interpolation_matrix(size: int, of: int) -> np.ndarray:
    """Return the matrix (size, of) of linear interpolation along one side, whose rows sum to 1.

    Numbers lie in the middle of equal parts, and the outermost are continued: what imaging calls bilinear with half-pixel centers.
    """
    first, second, share = _taps(size, of)
    matrix = np.zeros((size, of))
    matrix[np.arange(size), first] += 1 - share
    matrix[np.arange(size), second] += share
    return matrix


def expand(stored: np.ndarray, sides: Sequence[int]) -> np.ndarray:
    """Interpolate rows (m, channels, ...) to larger sides, in their own dtype; integers are rounded.

    Each number is computed by itself, so that the same rows give the same bits on every machine.
    """
    rows = np.asarray(stored, dtype=np.float64)
    for axis, size in enumerate(sides, start=2):
        first, second, share = _taps(size, rows.shape[axis])
        share = share.reshape(-1, *[1] * (rows.ndim - axis - 1))
        rows = np.take(rows, first, axis) * (1 - share) + np.take(rows, second, axis) * share
    return to_dtype(rows, stored.dtype)


def is_expansion(rows: np.ndarray, stored: np.ndarray) -> bool:
    """Whether rows are what `expand` makes of those stored, bit for bit."""
    fits = stored.shape[:2] == rows.shape[:2] and stored.ndim == rows.ndim > 2 and stored.dtype == rows.dtype
    return fits and np.array_equal(expand(stored, rows.shape[2:]), rows)


def shrink(rows: np.ndarray, sides: Sequence[int]) -> np.ndarray:
    """Return the rows (m, channels, ...) of smaller sides, float64, that `expand` brings nearest to those given (least squares)."""
    small = np.asarray(rows, dtype=np.float64)
    for axis, size in enumerate(sides, start=2):
        inverse = np.linalg.pinv(interpolation_matrix(small.shape[axis], size))
        small = np.moveaxis(np.moveaxis(small, axis, -1) @ inverse.T, -1, axis)
    return small


def to_dtype(rows: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Cast made rows to the dtype that came in; integers are rounded and kept in range."""
    if dtype.kind == "b":
        return np.asarray(rows >= 0.5)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        rows = np.clip(np.rint(rows), limits.min, limits.max)
    cast: np.ndarray = rows.astype(dtype, copy=False)
    return cast
