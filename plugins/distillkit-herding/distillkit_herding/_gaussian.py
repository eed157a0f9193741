"""Herding with a Gaussian kernel, which approximates the whole distribution of the rows."""

from __future__ import annotations

import numpy as np

__all__ = ["BLOCK_BYTES", "herd_gaussian", "median_bandwidth"]

BLOCK_BYTES = 64 * 2**20  # kernel values in memory at a time
_SAMPLE = 1000  # rows from which the bandwidth is estimated


def herd_gaussian(
    points: np.ndarray, size: int, bandwidth: float, *, block_bytes: int = BLOCK_BYTES
) -> tuple[np.ndarray, float]:
    """Select rows one by one so that their kernel mean stays nearest to that of all rows.

    With ``k(x, z) = exp(-|x - z|^2 / (2 bandwidth^2))``, ``mu(x)`` the mean of ``k(x, .)`` over all
    rows and ``S`` the rows selected so far, the next row is the one, not yet selected, that
    maximizes ``mu(x) - sum_{s in S} k(x, s) / (len(S) + 1)``. Since ``k(x, x)`` is the same for all
    rows, this row minimizes the maximum mean discrepancy of the selection.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    size : int
        Number of rows to select, at most n.
    bandwidth : float
        Standard deviation of the kernel, in the units of the rows.
    block_bytes : int
        Largest number of bytes of kernel values in memory (but at least one row of n values).

    Returns
    -------
    picks : ndarray of shape (size,)
        Positions in ranking order: the first m of them are the result for `size` = m.
    error : float
        Maximum mean discrepancy between the selected rows and all rows (biased, V-statistic).

    Notes
    -----
    Time is O(n^2 d) for the means, with each pair computed once, and O(n d size) for the selection.
    Memory is one copy of `points`, `block_bytes` and a few vectors of length n, never n x n.

    References
    ----------
    Chen, Welling and Smola, "Super-samples from kernel herding", 2010, arXiv:1203.3472.
    """
    # 1. Center the rows, so that |x|^2 + |z|^2 - 2 x.z loses no digits far from the origin.
    centered = points - points.mean(axis=0, dtype=np.float64).astype(points.dtype)
    squares = np.einsum("ij,ij->i", centered, centered)
    mean = _kernel_mean(centered, squares, bandwidth, block_bytes)
    similarity = np.zeros(len(centered))  # sum of k(x, s) over the selected rows s
    free = np.ones(len(centered), dtype=bool)
    picks = np.empty(size, dtype=np.int64)
    # 2. Add the row that is similar to all rows and dissimilar to those already selected.
    for step in range(size):
        pick = np.argmax(np.where(free, mean - similarity / (step + 1), -np.inf))
        picks[step], free[pick] = pick, False
        similarity += _kernel(centered, squares, slice(pick, pick + 1), slice(None), bandwidth)[0]
    # 3. Compute the maximum mean discrepancy of the selection.
    squared = mean.mean() - 2 * mean[picks].mean() + similarity[picks].mean() / size
    return picks, float(np.sqrt(max(squared, 0.0)))


def _kernel(centered: np.ndarray, squares: np.ndarray, rows: slice, columns: slice, bandwidth: float) -> np.ndarray:
    """Return the kernel values between rows and columns, computed in one array."""
    values: np.ndarray = centered[rows] @ centered[columns].T
    values *= -2
    values += squares[rows, None]
    values += squares[columns]
    np.maximum(values, 0, out=values)  # rounding can leave a distance just below zero
    values *= -0.5 / bandwidth**2
    np.exp(values, out=values)
    return values


def _kernel_mean(centered: np.ndarray, squares: np.ndarray, bandwidth: float, block_bytes: int) -> np.ndarray:
    """Return the mean kernel value of each row with all rows, by blocks above the diagonal."""
    n_rows = len(centered)
    step = max(1, block_bytes // (n_rows * centered.itemsize))
    sums = np.zeros(n_rows)
    for start in range(0, n_rows, step):
        stop = min(start + step, n_rows)
        block = _kernel(centered, squares, slice(start, stop), slice(start, None), bandwidth)
        sums[start:stop] += block.sum(axis=1, dtype=np.float64)
        sums[stop:] += block[:, stop - start :].sum(axis=0, dtype=np.float64)  # the same values below the diagonal
    return sums / n_rows


def median_bandwidth(points: np.ndarray, rng: np.random.RandomState) -> float:
    """Return the median distance between two rows, from at most 1,000 random rows.

    If most rows are equal, it is the mean of the positive distances; if all are equal, it is 1.
    """
    if len(points) > _SAMPLE:
        points = points[rng.choice(len(points), _SAMPLE, replace=False)]
    centered = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    squares = np.einsum("ij,ij->i", centered, centered)
    gram = centered @ centered.T
    upper = np.triu_indices(len(points), 1)
    squared = (squares[:, None] + squares - 2 * gram)[upper]
    # Squared distances below this fraction of the largest squared norm are only rounding errors.
    positive = squared[squared > 1e-12 * max(float(squares.max()), np.finfo(float).tiny)]
    if not len(positive):
        return 1.0
    median = float(np.median(np.maximum(squared, 0)))
    most_are_equal = len(positive) * 2 <= len(squared)
    return float(np.mean(np.sqrt(positive))) if most_are_equal else float(np.sqrt(median))
