"""The range of values whose squares, products and sums stay within the range of floats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.utils._sparse import dense_rows, is_sparse

__all__ = ["LARGEST", "SMALLEST", "check_target", "within_range"]

LARGEST = 1e100
"""Largest size of a value: its square, summed over rows and columns, is far within float64."""

SMALLEST = 1e-100
"""Smallest range of the values: its square is far above the smallest float64."""

_LARGEST_FLOAT32 = 1e15
_SMALLEST_FLOAT32 = 1e-12


def within_range(X: np.ndarray, names: Sequence[Any] | None = None) -> np.ndarray:
    """Return rows whose squares neither overflow nor underflow, or raise an error.

    Distances, variances and products square the values. float32 rows of very large or very small
    values are therefore returned in float64.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, ...), float32 or float64, finite
    names : sequence or None
        Names of the columns of a table, for the error message.

    Returns
    -------
    ndarray of shape (n, ...)

    Raises
    ------
    DataError
        If a value is larger than 1e100 in size, or if no two values of a column differ by 1e-100,
        although some differ.
    """
    if 0 in X.shape or X.dtype not in (np.float32, np.float64):
        return X
    flat = X if is_sparse(X) else X.reshape(len(X), -1)
    low, high = (dense_rows(ends).ravel().astype(np.float64) for ends in (flat.min(axis=0), flat.max(axis=0)))
    sizes = np.maximum(high, -low)
    largest, span = float(sizes.max()), float((high / 2 - low / 2).max()) * 2
    if largest > LARGEST:
        column = int(sizes.argmax())
        where = (
            f"{_column(column, X, names)} holds the value {(high if high[column] >= -low[column] else low)[column]:.3g}"
        )
        raise DataError(
            f"{where}, but squares of numbers beyond 1e100 leave the range of float64: divide by a power of ten, "
            "or replace the value."
        )
    if 0 < span < SMALLEST:
        raise DataError(
            f"the values of X differ by {span:.3g} at most, but squares of numbers below 1e-100 leave the range of "
            "float64: multiply X by a power of ten."
        )
    if X.dtype == np.float32 and (largest > _LARGEST_FLOAT32 or 0 < span < _SMALLEST_FLOAT32):
        return X.astype(np.float64)
    return X


def _column(position: int, X: np.ndarray, names: Sequence[Any] | None) -> str:
    """Return how a message names a column of X."""
    if X.ndim != 2:
        return "X"
    return (
        f"column {names[position]!r} of X"
        if names is not None and len(names) == X.shape[1]
        else f"column {position} of X"
    )


def check_target(y: np.ndarray) -> None:
    """Check that the squares of a continuous target neither overflow nor underflow.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Numbers, finite.

    Raises
    ------
    DataError
        If a value is larger than 1e100 in size, or if no two values differ by 1e-100, although some
        differ.
    """
    if y.dtype.kind != "f" or not len(y):
        return
    low, high = float(y.min()), float(y.max())
    if max(high, -low) > LARGEST:
        raise DataError(
            f"y holds the number {high if high >= -low else low:.3g}, but squares of numbers beyond 1e100 leave the "
            "range of float64: divide y by a power of ten, or replace the number."
        )
    if 0 < high - low < SMALLEST:
        raise DataError(
            f"the numbers of y differ by {high - low:.3g} at most, but squares of numbers below 1e-100 leave the range "
            "of float64: multiply y by a power of ten."
        )
