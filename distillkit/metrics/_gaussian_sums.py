"""Sums of Gaussian kernels over all pairs of rows, in blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.distances._mmd import SCALES
from distillkit.distances._squared import pairwise_squares

__all__ = ["PAIR_VALUES", "kernel_means", "self_sum"]

PAIR_VALUES = 3e11
"""Largest product of pairs of rows and features whose distances are computed for one sum."""

_EXACT_VALUES = 4e9  # product up to which float64 is used
_BLOCK_PAIRS = 2_000_000


def kernel_means(X: np.ndarray, Y: np.ndarray, weight: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return the weighted sum over the rows of Y of the kernel with each row of X.

    Parameters
    ----------
    X, Y : ndarray of shape (n, d) and (m, d)
    weight : ndarray of shape (m,)
    bandwidth : float

    Returns
    -------
    ndarray of shape (n,)
        In float64.
    """
    dtype = _dtype(X, Y)
    sums = np.empty(len(X))
    for part in _blocks(len(X), len(Y)):
        sums[part] = _kernel(pairwise_squares(X[part], Y, dtype=dtype), bandwidth) @ weight.astype(dtype)
    return sums


def self_sum(X: np.ndarray, weight: np.ndarray, bandwidth: float) -> float:
    """Return the sum over all pairs of rows of X of the product of their weights and the kernel.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weight : ndarray of shape (n,)
    bandwidth : float
    """
    dtype, total = _dtype(X, X), float(weight @ weight)
    for part in _blocks(len(X), len(X)):
        # Pairs of two blocks count twice, and those within a block once in each order.
        rows, later = X[part], X[part.stop :]
        own = _kernel(pairwise_squares(rows, rows, dtype=dtype), bandwidth)
        np.fill_diagonal(own, 0.0)
        a = weight[part].astype(dtype)
        total += float(a @ (own @ a))
        if len(later):
            across = _kernel(pairwise_squares(rows, later, dtype=dtype), bandwidth)
            total += 2 * float(weight[part] @ (across @ weight[part.stop :].astype(dtype)).astype(np.float64))
    return total


def _blocks(n_rows: int, n_columns: int) -> list[slice]:
    step = max(1, _BLOCK_PAIRS // n_columns)
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def _dtype(X: np.ndarray, Y: np.ndarray) -> Any:
    """Return float32 for so many pairs that its rounding errors average out, otherwise float64."""
    return np.float32 if len(X) * len(Y) * X.shape[1] > _EXACT_VALUES else np.float64


def _kernel(squares: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return the mean of the Gaussian kernels at five bandwidths, each half of the next."""
    # Each kernel is the fourth power of the next wider one: one exponential serves all.
    with np.errstate(over="ignore", under="ignore"):
        ratio = (squares / bandwidth) / bandwidth
        ratio *= -0.5 / max(SCALES) ** 2
        power = np.exp(ratio, out=ratio)
        total = power.copy()
        for _ in SCALES[1:]:
            power *= power
            power *= power
            total += power
    total /= len(SCALES)
    return total
