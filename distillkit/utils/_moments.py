"""Means and deviations of columns, without loss of digits, overflow or underflow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["column_deviations", "column_means", "extreme_columns", "mean_and_deviation", "without_far_offsets"]

_FAR = 2.0**20  # size of a mean, in ranges of its column, beyond which its rounding shows in differences
_SAFE = 2.0**400  # ranges below this size, and above its inverse, have squares within float64


def extreme_columns(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Tell which columns have means and deviations that plain sums and squares get wrong.

    These columns lie far from zero compared with their range (as constant columns do), or their
    range is very large or small.

    Parameters
    ----------
    low, high : ndarray of shape (d,)
        Lowest and highest value of each column.

    Returns
    -------
    ndarray of shape (d,), bool
    """
    half = high / 2 - low / 2
    far = np.abs(low / 2 + high / 2) / _FAR > half
    return np.asarray(far | (half > _SAFE) | ((half > 0) & (half < 1 / _SAFE)))


def column_means(X: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return the mean of each column in float64.

    The mean of a column whose values lie far from zero, compared with their range, comes from their
    differences to the lowest value. It is therefore exact for constant columns, and its rounding
    error is small compared with the range of other columns.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    weight : ndarray of shape (n,) or None
        Weights of the rows; None weighs all equally.

    Returns
    -------
    ndarray of shape (...)
    """
    means, low, _, extreme = _by_column(_plain_means, X, weight)
    means[extreme] += low[extreme]
    return means


def column_deviations(X: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return the standard deviation of each column in float64, and 1 for constant columns.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    weight : ndarray of shape (n,) or None
        Weights of the rows; None weighs all equally.

    Returns
    -------
    ndarray of shape (...)
        Positive numbers.
    """
    deviations, low, high, _ = _by_column(_plain_deviations, X, weight)
    # The computed deviation of a constant column may not be exactly 0.
    return np.asarray(np.where((low < high) & (deviations > 0), deviations, 1.0))


def mean_and_deviation(X: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float]:
    """Return the mean and the standard deviation of all values; 1 if all are equal.

    Parameters
    ----------
    X : ndarray of any shape
    weight : ndarray of shape (n,) or None
        Weights of the rows, each of which holds for all values of its row; None weighs all equally.

    Returns
    -------
    mean, deviation : float
    """
    low, high = np.array([float(X.min())]), np.array([float(X.max())])
    if low[0] == high[0]:  # the computed mean may not be exactly this value
        return float(low[0]), 1.0
    if weight is not None:
        column, weights = X.reshape(-1, 1), np.repeat(weight, X.size // len(X))
        return float(column_means(column, weights)[0]), float(column_deviations(column, weights)[0])
    if not extreme_columns(low, high)[0]:
        return float(X.mean(dtype=np.float64)), float(X.std(dtype=np.float64))
    column = X.reshape(-1, 1)
    return float(column_means(column)[0]), float(column_deviations(column)[0])


def without_far_offsets(X: np.ndarray) -> np.ndarray:
    """Return the rows with extreme columns measured from their first value; others as they are.

    Sums and products of columns that lie far from zero lose the digits in which their values
    differ. Distances between the rows remain the same.

    Parameters
    ----------
    X : ndarray of shape (n, d)

    Returns
    -------
    ndarray of shape (n, d)
        X itself if it has no such column.
    """
    extreme = extreme_columns(X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64))
    return X - np.where(extreme, X[0], 0).astype(X.dtype) if extreme.any() else X


def _by_column(
    plain: Callable[[np.ndarray, np.ndarray | None], np.ndarray], X: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a statistic of each column, their lowest and highest values, and which are extreme.

    Extreme columns are measured from their lowest values.
    """
    low, high = X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
    extreme = extreme_columns(low, high)
    with np.errstate(over="ignore", invalid="ignore"):
        values = plain(X, weight)
    if extreme.any():
        offsets, exponents = _near_zero(X[:, extreme], low[extreme], high[extreme])
        values[extreme] = np.ldexp(plain(offsets, weight), exponents)
    return values, low, high, extreme


def _plain_means(X: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    if weight is None:
        return np.asarray(X.mean(axis=0, dtype=np.float64))
    return np.asarray((weight @ X) / weight.sum(), dtype=np.float64)


def _plain_deviations(X: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    if weight is None:
        return np.asarray(X.std(axis=0, dtype=np.float64))
    difference = X - _plain_means(X, weight)
    return np.asarray(np.sqrt(weight @ np.square(difference) / weight.sum()))


def _near_zero(X: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure columns from their lowest values, scaled by powers of two; also return exponents."""
    exponents = np.frexp(high / 2 - low / 2)[1]
    return np.ldexp(X.astype(np.float64), -exponents) - np.ldexp(low, -exponents), exponents
