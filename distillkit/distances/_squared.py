"""Squared Euclidean distances between all pairs of rows, without loss of digits by cancellation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from distillkit.distances._samples import check_rows
from distillkit.exceptions import DataError

__all__ = ["CANCELLED", "mean_row", "pairwise_squares", "scaled", "squared_distances", "unscaled"]

CANCELLED = 1e-3
"""Share of the squared norms below which a squared distance from a product is computed again."""

_SAFE_EXPONENT = 400  # differences between 2**-400 and 2**400 have squares well within float64
_FEW_COLUMNS = 8  # number of columns up to which differences are as fast as a product
_FEW_PAIRS = 8  # differences are taken of single pairs if at most one pair in this many cancels
_BLOCK_VALUES = 2**18  # number of differences held at a time


def squared_distances(X: Any, Y: Any, *, dtype: Any = np.float64) -> np.ndarray:
    """Squared Euclidean distances between all pairs of rows.

    They come from one matrix product of centered rows, by ``|x - y|^2 = |x|^2 + |y|^2 - 2 x.y``.
    Where these terms nearly cancel, as for rows that are much closer to each other than to the
    center, the distance is computed again from the differences of the values. Equal rows are
    therefore at a distance of exactly 0.

    Parameters
    ----------
    X, Y : array-like of shape (n, d) and (m, d)
        Finite rows.
    dtype : dtype, default=float64
        Precision of the product and of the result. The relative error of a distance is at most a
        few thousand units in the last place.

    Returns
    -------
    ndarray of shape (n, m)
        The squared distances, never negative.

    Raises
    ------
    DataError
        If a sample is empty or not finite, if the two numbers of features differ, or if a squared
        distance is too large for `dtype`.

    Examples
    --------
    >>> float(squared_distances([[0.0], [1e9]], [[1.0], [1e9]])[0, 0])
    1.0
    """
    X, Y = check_rows(X, "X"), check_rows(Y, "Y")
    if X.shape[1] != Y.shape[1]:
        raise DataError(
            f"X has {X.shape[1]} features, but Y has {Y.shape[1]}: give both samples with the same features."
        )
    (X, Y), exponent = scaled(X, Y)
    squares = pairwise_squares(X, Y, dtype=dtype)
    if exponent:
        with np.errstate(over="ignore"):
            squares = np.ldexp(squares, 2 * exponent)
    if not np.isfinite(squares).all():
        raise DataError(
            f"squared distances of these rows are too large for {np.dtype(dtype)}: scale the columns first."
        )
    return squares


def scaled(*samples: np.ndarray) -> tuple[list[np.ndarray], int]:
    """Scale samples by a common power of two, so that squares of differences stay within float64.

    Returns
    -------
    samples : list of ndarray
        The samples times ``2**-exponent``, in float64; unchanged if the exponent is 0.
    exponent : int
        The exponent; 0 unless the rows differ by very large or very small values.
    """
    highest = np.max([rows.max(axis=0) for rows in samples], axis=0).astype(np.float64)
    lowest = np.min([rows.min(axis=0) for rows in samples], axis=0).astype(np.float64)
    exponent = math.frexp(float((highest / 2 - lowest / 2).max()))[1] + 1
    if abs(exponent) <= _SAFE_EXPONENT:
        return list(samples), 0
    # A column without differences may be too large to be scaled up; 0 can replace its value.
    differ = highest > lowest
    return [np.ldexp(np.where(differ, rows, 0.0), -exponent) for rows in samples], exponent


def unscaled(value: float, exponent: int) -> float:
    """Return ``value * 2**exponent``, the inverse of the scaling by `scaled`.

    Raises
    ------
    DataError
        If the result is too large for float64, or not a number.
    """
    try:
        result = math.ldexp(value, exponent)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise DataError("the distance of these samples is too large for float64: scale the columns first.")
    return result


def mean_row(rows: np.ndarray) -> np.ndarray:
    """Compute the mean of rows in float64; the first row stands in where the sum overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = rows.mean(axis=0, dtype=np.float64)
    return np.asarray(np.where(np.isfinite(mean), mean, rows[0]))


def pairwise_squares(X: np.ndarray, Y: np.ndarray, *, dtype: Any = np.float64) -> np.ndarray:
    """Compute `squared_distances` of finite rows that need no scaling."""
    if X.shape[1] <= _FEW_COLUMNS:
        return np.asarray(cdist(X, Y, "sqeuclidean"), dtype=dtype)
    # 1. Center both samples at the mean of Y, and expand the squares.
    center = mean_row(Y)
    x_centered = (X - center).astype(dtype, copy=False)
    # For one and the same array, NumPy computes only half of the product.
    y_centered = x_centered if Y is X else (Y - center).astype(dtype, copy=False)
    squares = x_centered @ y_centered.T
    squares *= -2
    norms = np.add.outer(*(np.einsum("ij,ij->i", rows, rows) for rows in (x_centered, y_centered)))
    squares += norms
    # 2. Compute the distances that are small differences of large norms again.
    norms *= CANCELLED
    cancelled = np.flatnonzero(squares <= norms)
    if len(cancelled) * _FEW_PAIRS > squares.size:
        return np.asarray(cdist(X, Y, "sqeuclidean"), dtype=dtype)
    first, second = np.divmod(cancelled, len(Y))
    step = max(1, _BLOCK_VALUES // X.shape[1])
    for begin in range(0, len(cancelled), step):
        part = slice(begin, begin + step)
        difference = np.subtract(X[first[part]], Y[second[part]], dtype=np.float64)
        squares.flat[cancelled[part]] = np.einsum("ij,ij->i", difference, difference)
    return np.asarray(squares)
