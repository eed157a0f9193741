"""The coverage: the share of the training rows with a distilled row in their neighborhood."""

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
_BLOCK_DISTANCES = 8_000_000  # distances in memory at a time; two blocks take 64 MB in float32


def coverage(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, n_neighbors: int = 5) -> float:
    r"""Return the share of training rows with a distilled row in their neighborhood.

    .. math::

        \frac{1}{N} \sum_{i=1}^{N}
        1\big[\, \exists j: y_j = y_i,\ \|x_i - s_j\| \le r_k(x_i) \,\big]

    where :math:`r_k(x_i)` is the distance of :math:`x_i` to its k-th nearest other training row of
    its class. With a continuous target, all rows form one class and the standardized target is one
    more column.

    The value grows with the number of distilled rows: random rows are expected to cover
    `expected_coverage` of the training rows, which is little for small sets. Compare a set only
    with others of its size. A set that has collapsed or has left the data falls below the expected
    coverage, and a well-spread set rises above it. Sample weights have no effect, except that
    distilled rows of weight 0 are left out in classification.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        Training rows as the distiller saw them; uint8 is read as pixels in [0, 1].
    y : array-like of shape (n,) or None
        Class labels or numbers.
    distilled : DistilledSet
    random_state : int, default=0
        Seeds the choice of the training rows whose neighborhoods are examined: at most 5,000, and
        fewer (but at least 200) if they would need more than 30 million distances. Their radii are
        exact, because they are computed from all rows of the class.
    n_neighbors : int, default=5
        The number k, as in the paper, limited to the number of other rows of the class. The only
        row of a class is covered by an exact copy alone.

    Returns
    -------
    float
        In [0, 1]. The rows of classes without a distilled row are not covered.

    Raises
    ------
    DataError
        If `n_neighbors` is not positive or the rows cannot be compared.

    References
    ----------
    Naeem, Oh, Uh, Choi, Yoo: Reliable fidelity and diversity metrics for generative models. ICML
    2020, arXiv:2002.09797.
    """
    if n_neighbors < 1:
        raise DataError(f"n_neighbors={n_neighbors} must be at least 1.")
    # 1. Draw the training rows to examine; around each is a ball of the radius r_k.
    pairs = list(paired(X, y, distilled))
    sizes = np.array([len(pair.X) for pair in pairs])
    chosen = np.zeros(sizes.sum(), dtype=bool)
    n_balls = _n_balls(sizes)
    chosen[np.random.default_rng(random_state).choice(len(chosen), size=n_balls, replace=False, shuffle=False)] = True
    # 2. Count the balls with a distilled row of the same class.
    covered = sum(_covered(pair, np.flatnonzero(chosen[pair.rows]), n_neighbors) for pair in pairs if not pair.stand_in)
    return covered / n_balls


def _n_balls(sizes: np.ndarray) -> int:
    """Return the number of balls that keeps the number of distances within its limit."""
    mean_class = float(np.sum(sizes.astype(np.float64) ** 2) / sizes.sum())
    return int(min(sizes.sum(), _MAX_BALLS, max(_MIN_BALLS, _MAX_DISTANCES // mean_class)))


def _covered(pair: Pair, balls: np.ndarray, k: int) -> int:
    """Count the balls, centered on these rows of the pair, that hold a distilled row."""
    centers = [rows.mean(axis=0, dtype=np.float64) for rows in (pair.X, pair.distilled)]
    count, step = 0, max(1, _BLOCK_DISTANCES // len(pair.X))
    for start in range(0, len(balls), step):
        block = balls[start : start + step]
        nearest = squared_distances(pair.X[block], pair.distilled, dtype=pair.X.dtype).min(axis=1)
        rounding_error = _rounding_error(pair.X[block], centers)
        count += int(np.sum(nearest <= _squared_radii(pair.X, block, k) + rounding_error))
    return count


def _rounding_error(X: np.ndarray, centers: list[np.ndarray]) -> np.ndarray:
    """Return a bound of the rounding error of squared distances.

    With it, a copy of a row counts as within a radius of 0.
    """
    squares = np.max([np.square(X - center).sum(axis=1) for center in centers], axis=0)
    return np.asarray(32 * np.finfo(X.dtype).eps * squares)


def _squared_radii(X: np.ndarray, indices: np.ndarray, k: int) -> np.ndarray:
    """Return the squared distances of rows to their k-th nearest other row, 0 if there is none."""
    if len(X) == 1:
        return np.zeros(len(indices), dtype=X.dtype)
    squares = squared_distances(X[indices], X, dtype=X.dtype)
    squares[np.arange(len(indices)), indices] = np.inf
    k = min(k, len(X) - 1)
    return np.asarray(np.partition(squares, k - 1, axis=1)[:, k - 1])


def expected_coverage(n_rows: int, n_distilled: int, n_neighbors: int) -> float:
    r"""Return the expected coverage of new rows from the distribution of the training rows.

    .. math:: 1 - \prod_{i=1}^{k} \frac{N - i}{N + M - i}

    for N training rows, M new rows and k neighbors; it holds for every continuous distribution.

    Parameters
    ----------
    n_rows : int
        Number N of training rows.
    n_distilled : int
        Number M of new rows.
    n_neighbors : int
        Number k of neighbors, limited to ``n_rows - 1``.

    Returns
    -------
    float
        In [0, 1].

    References
    ----------
    Naeem, Oh, Uh, Choi, Yoo: Reliable fidelity and diversity metrics for generative models. ICML
    2020, arXiv:2002.09797.

    Examples
    --------
    >>> round(expected_coverage(10_000, 100, 5), 3)
    0.049
    """
    i = np.arange(1, min(n_neighbors, n_rows - 1) + 1)
    return float(1 - np.prod((n_rows - i) / (n_rows + n_distilled - i)))
