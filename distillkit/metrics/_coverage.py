"""Which share of the training rows has a distilled row nearby."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distances import squared_distances
from distillkit.exceptions import DataError
from distillkit.metrics._pairs import Pair, paired

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["coverage", "expected_coverage"]

_MAX_BALLS = 5_000
_MIN_BALLS = 200
_MAX_DISTANCES = 30_000_000
_BLOCK_DISTANCES = 8_000_000  # held at a time, twice: 64 MB in float32


def coverage(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, n_neighbors: int = 5) -> float:
    r"""Share of the training rows in whose neighbourhood lies a distilled row of their class (Naeem et al., 2020).

    .. math:: \frac{1}{N} \sum_{i=1}^{N} 1\big[\, \exists j: y_j = y_i,\ \|x_i - s_j\| \le r_k(x_i) \,\big]

    where :math:`r_k(x_i)` is the distance of :math:`x_i` to its k-th nearest other training row of its class. Where
    the target is continuous, all rows make one class and the standardized target is one more column.

    The value grows with the number of distilled rows: random rows cover `expected_coverage` of the training rows, which
    is little where they are few (100 rows for 10,000: 0.05), so hold a set against others of its size. A set that
    has collapsed or left the data falls below that value, one that is well spread rises above it. Sample weights do
    not count, except that rows of weight 0 are left out in classes.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        Training rows as the distiller saw them; uint8 is read as pixels in [0, 1].
    y : array-like of shape (n,) or None
    distilled : DistilledSet
    random_state : int, default=0
        Of the training rows whose neighbourhoods are looked at: at most 5,000, and fewer (but 200) where they would
        need more than 30 million distances. Their radii are exact: all rows of the class count.
    n_neighbors : int, default=5
        k, as in the paper; in a class with fewer other rows, all of them. A lone row of its class is covered by a copy.

    Returns
    -------
    float
        In [0, 1]. Classes without a distilled row are not covered.

    Raises
    ------
    DataError
        If `n_neighbors` is not positive or the rows cannot be compared.

    References
    ----------
    Naeem, Oh, Uh, Choi, Yoo: Reliable fidelity and diversity metrics for generative models. ICML 2020,
    arXiv:2002.09797.
    """
    if n_neighbors < 1:
        raise DataError(f"n_neighbors={n_neighbors} must be at least 1.")
    pairs = list(paired(X, y, distilled))
    sizes = np.array([len(pair.X) for pair in pairs])
    chosen = np.zeros(sizes.sum(), dtype=bool)
    n_balls = _n_balls(sizes)
    chosen[np.random.default_rng(random_state).choice(len(chosen), size=n_balls, replace=False, shuffle=False)] = True
    covered = sum(_covered(pair, np.flatnonzero(chosen[pair.rows]), n_neighbors) for pair in pairs if not pair.stand_in)
    return covered / n_balls


def _n_balls(sizes: np.ndarray) -> int:
    """Keep the number of distances, balls times rows of their class, in bounds."""
    mean_class = float(np.sum(sizes.astype(np.float64) ** 2) / sizes.sum())
    return int(min(sizes.sum(), _MAX_BALLS, max(_MIN_BALLS, _MAX_DISTANCES // mean_class)))


def _covered(pair: Pair, balls: np.ndarray, k: int) -> int:
    """Count the balls, centred on these rows of the pair, that hold a distilled row."""
    centres = [rows.mean(axis=0, dtype=np.float64) for rows in (pair.X, pair.distilled)]
    count, step = 0, max(1, _BLOCK_DISTANCES // len(pair.X))
    for start in range(0, len(balls), step):
        some = balls[start : start + step]
        nearest = squared_distances(pair.X[some], pair.distilled, dtype=pair.X.dtype).min(axis=1)
        slack = _rounding(pair.X[some], centres)
        count += int(np.sum(nearest <= _squared_radii(pair.X, some, k) + slack))
    return count


def _rounding(X: np.ndarray, centres: list[np.ndarray]) -> np.ndarray:
    """Bound the rounding error of squared distances, so that a copy of a row is within a radius of 0."""
    squares = np.max([np.square(X - centre).sum(axis=1) for centre in centres], axis=0)
    return np.asarray(32 * np.finfo(X.dtype).eps * squares)


def _squared_radii(X: np.ndarray, some: np.ndarray, k: int) -> np.ndarray:
    """Squared distances of some rows to their k-th nearest other row; 0 where there is no other."""
    if len(X) == 1:
        return np.zeros(len(some), dtype=X.dtype)
    squares = squared_distances(X[some], X, dtype=X.dtype)
    squares[np.arange(len(some)), some] = np.inf
    k = min(k, len(X) - 1)
    return np.asarray(np.partition(squares, k - 1, axis=1)[:, k - 1])


def expected_coverage(n_rows: int, n_distilled: int, n_neighbors: int) -> float:
    r"""Coverage to expect of new rows from the distribution of the training rows (Naeem et al., 2020).

    .. math:: 1 - \prod_{i=1}^{k} \frac{N - i}{N + M - i}

    for N training rows, M new rows and k neighbours, whatever the distribution (as long as it is continuous).

    Returns
    -------
    float

    Examples
    --------
    >>> round(expected_coverage(10_000, 100, 5), 3)
    0.049
    """
    i = np.arange(1, min(n_neighbors, n_rows - 1) + 1)
    return float(1 - np.prod((n_rows - i) / (n_rows + n_distilled - i)))
