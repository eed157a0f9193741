"""Herding in the space of a Gaussian kernel: all moments are kept, as far as the bandwidth sees them."""

from __future__ import annotations

import numpy as np

__all__ = ["BLOCK_BYTES", "herd_gaussian", "median_bandwidth"]

BLOCK_BYTES = 64 * 2**20
_SAMPLE = 1000


def herd_gaussian(
    points: np.ndarray, size: int, bandwidth: float, *, block_bytes: int = BLOCK_BYTES
) -> tuple[np.ndarray, float]:
    """Pick rows one after another so that their kernel mean stays nearest to that of all rows.

    With ``k(x, z) = exp(-|x - z|^2 / (2 bandwidth^2))``, ``mu(x)`` the mean of ``k(x, .)`` over all rows and ``S``
    those picked so far, the next one is the row x, not yet picked, that maximizes
    ``mu(x) - sum_{s in S} k(x, s) / (len(S) + 1)`` (Chen, Welling and Smola 2010, arXiv:1203.3472). As ``k(x, x)`` is
    the same for all rows, this is the row that brings the maximum mean discrepancy lowest.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    size : int
        Rows to pick, at most n.
    bandwidth : float
        Standard deviation of the kernel, in the units of the rows.
    block_bytes : int
        Most bytes of kernel values held at a time (one row of n values at least).

    Returns
    -------
    picks : ndarray of shape (size,)
        Positions in ranking order: the first m of them are what `size` = m picks.
    error : float
        Maximum mean discrepancy of the picked rows to all rows (biased, V-statistic).

    Notes
    -----
    Time O(n^2 d) for the means, each pair once, and O(n d size) for the picks. Memory one copy of `points`,
    `block_bytes` and a few vectors of length n: never n x n.
    """
    # centered, so that |x|^2 + |z|^2 - 2 x.z does not cancel where the rows lie far from the origin
    centered = points - points.mean(axis=0, dtype=np.float64).astype(points.dtype)
    squares = np.einsum("ij,ij->i", centered, centered)
    mean = _kernel_mean(centered, squares, bandwidth, block_bytes)
    near = np.zeros(len(centered))  # sum of k(x, s) over the picks s
    free = np.ones(len(centered), dtype=bool)
    picks = np.empty(size, dtype=np.int64)
    for step in range(size):
        pick = np.argmax(np.where(free, mean - near / (step + 1), -np.inf))
        picks[step], free[pick] = pick, False
        near += _kernel(centered, squares, slice(pick, pick + 1), slice(None), bandwidth)[0]
    squared = mean.mean() - 2 * mean[picks].mean() + near[picks].mean() / size
    return picks, float(np.sqrt(max(squared, 0.0)))


def _kernel(centered: np.ndarray, squares: np.ndarray, rows: slice, columns: slice, bandwidth: float) -> np.ndarray:
    """Kernel values of rows against columns; one array, changed in place, so that a block is all it takes."""
    values: np.ndarray = centered[rows] @ centered[columns].T
    values *= -2
    values += squares[rows, None]
    values += squares[columns]
    np.maximum(values, 0, out=values)  # rounding can leave a distance just below zero
    values *= -0.5 / bandwidth**2
    np.exp(values, out=values)
    return values


def _kernel_mean(centered: np.ndarray, squares: np.ndarray, bandwidth: float, block_bytes: int) -> np.ndarray:
    """Mean kernel value of each row with all rows, block by block above the diagonal."""
    n_rows = len(centered)
    step = max(1, block_bytes // (n_rows * centered.itemsize))
    sums = np.zeros(n_rows)
    for start in range(0, n_rows, step):
        stop = min(start + step, n_rows)
        block = _kernel(centered, squares, slice(start, stop), slice(start, None), bandwidth)
        sums[start:stop] += block.sum(axis=1, dtype=np.float64)
        sums[stop:] += block[:, stop - start :].sum(axis=0, dtype=np.float64)  # the mirror image below the diagonal
    return sums / n_rows


def median_bandwidth(points: np.ndarray, rng: np.random.RandomState) -> float:
    """Return the median distance between two rows, of at most 1,000 drawn ones.

    Where most rows are equal it is the mean of the distances that are not zero; 1 where all rows are equal.
    """
    if len(points) > _SAMPLE:
        points = points[rng.choice(len(points), _SAMPLE, replace=False)]
    centered = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    squares = np.einsum("ij,ij->i", centered, centered)
    gram = centered @ centered.T
    upper = np.triu_indices(len(points), 1)
    squared = (squares[:, None] + squares - 2 * gram)[upper]
    # below this share of the largest squared norm a difference is rounding, not distance
    apart = squared[squared > 1e-12 * max(float(squares.max()), np.finfo(float).tiny)]
    if not len(apart):
        return 1.0
    median = float(np.median(np.maximum(squared, 0)))
    few = len(apart) * 2 <= len(squared)
    return float(np.mean(np.sqrt(apart))) if few else float(np.sqrt(median))
