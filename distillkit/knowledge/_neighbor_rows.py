"""Made rows between neighbors, where a teacher has more to say than at its own rows."""

from __future__ import annotations

import numpy as np

from distillkit.neighbors import nearest

__all__ = ["default_number", "neighbor_rows"]

_NEIGHBORS = 5
_POOL = 5000  # rows among which neighbors are searched
_FACTOR, _FEWEST, _MOST = 5, 10_000, 50_000


def default_number(n_rows: int) -> int:
    """Return five made rows for each row, but at least 10,000 and at most 50,000."""
    return min(max(_FACTOR * n_rows, _FEWEST), _MOST)


def neighbor_rows(X: np.ndarray, n: int, rng: np.random.RandomState) -> np.ndarray:
    """Make rows that take each column from a row or from one of its nearest neighbors.

    Each column comes from the neighbor with probability 1/2, so that every value is one that the
    column holds. Neighbors are the nearest five by columns of equal variance, among 5,000 rows.

    Parameters
    ----------
    X : ndarray of shape (m, d)
        Rows without gaps in at least one of the columns; gaps count as the mean of their column.
    n : int
        Number of rows to make.
    rng : RandomState

    Returns
    -------
    ndarray of shape (n, d)

    References
    ----------
    Bucila, Caruana and Niculescu-Mizil, "Model compression", KDD 2006, whose MUNGE draws its values
    around those of the nearest neighbor.
    """
    anchors = np.resize(rng.permutation(len(X)), n)
    pool = rng.permutation(len(X))[:_POOL]
    scaled = _standardized(X)
    # One neighbor more is searched, because a row of the pool is its own nearest.
    k = min(_NEIGHBORS + 1, len(pool))
    unique, positions = np.unique(anchors, return_inverse=True)
    _, found = nearest(scaled[unique], scaled[pool], k)
    chosen = pool[found[positions, rng.randint(min(1, k - 1), k, size=n)]]
    from_neighbor = rng.random_sample((n, X.shape[1])) < 0.5
    return np.where(from_neighbor, X[chosen], X[anchors])


def _standardized(X: np.ndarray) -> np.ndarray:
    numbers = np.asarray(X, dtype=np.float64)
    centered = np.nan_to_num(numbers - np.nanmean(numbers, axis=0))
    scale = centered.std(axis=0)
    return np.asarray(centered / np.where(scale > 0, scale, 1.0), dtype=np.float32)
