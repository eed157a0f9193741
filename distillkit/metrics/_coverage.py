"""The coverage: the share of the training rows with a distilled row in their neighborhood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distances import squared_distances
from distillkit.distances._squared import scaled
from distillkit.exceptions import DataError
from distillkit.metrics._pairs import Pair, paired
from distillkit.metrics.reference import Reference, shares_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distillkit.distilled import DistilledSet

__all__ = ["coverage", "expected_coverage"]

_MAX_BALLS = 5_000
_MIN_BALLS = 200
_MAX_DISTANCES = 30_000_000
_BLOCK_DISTANCES = 4_000_000  # distances in memory at a time; two blocks take 64 MB in float64
_ROUNDING = 1e-9  # more than the relative rounding error of a distance in float64
_SAFE_SQUARE = 1e24  # bound of squared distances that are computed in float32


@shares_reference
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
        Training rows as the distiller saw them.
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
    reference = Reference.of(X, y, distilled)
    pairs = list(paired(reference, None, distilled))
    sizes = np.array([len(pair.part) for pair in pairs])
    chosen = np.zeros(reference.root_size, dtype=bool)
    n_balls = _n_balls(sizes)
    drawn = np.random.default_rng(random_state).choice(len(reference), size=n_balls, replace=False, shuffle=False)
    chosen[reference.kept[drawn]] = True
    # 2. Count the balls with a distilled row of the same class.
    covered = sum(
        _covered(pair, np.flatnonzero(chosen[pair.rows]), n_neighbors)
        for pair in pairs
        if not pair.stand_in and len(pair.part)
    )
    return covered / n_balls


def _n_balls(sizes: np.ndarray) -> int:
    """Return the number of balls that keeps the number of distances within its limit."""
    mean_class = float(np.sum(sizes.astype(np.float64) ** 2) / sizes.sum())
    return int(min(sizes.sum(), _MAX_BALLS, max(_MIN_BALLS, _MAX_DISTANCES // mean_class)))


def _covered(pair: Pair, balls: np.ndarray, k: int) -> int:
    """Count the balls, centered on these rows of the pair, that hold a distilled row."""
    (X, distilled), _ = scaled(pair.X, pair.distilled)
    value_errors = _value_errors(X, distilled, balls)
    # 1. Decide in float32 which balls hold a distilled row, as far as its rounding error allows.
    undecided, count = np.ones(len(balls), dtype=bool), 0
    if X.dtype == distilled.dtype == np.float32:
        bounds = _squared_errors(X, distilled, balls)
        if (bounds + value_errors**2).max() < _SAFE_SQUARE:
            nearest, radii = _squared_distances_and_radii(X, distilled, balls, k, np.float32)
            undecided = np.abs(nearest - radii) <= bounds + value_errors * (value_errors + 2 * np.sqrt(radii))
            count += int(np.sum(nearest[~undecided] <= radii[~undecided]))
    # 2. Decide the others in float64, with room for rounding of the values and of the distances.
    balls, value_errors = balls[undecided], value_errors[undecided]
    nearest, radii = _squared_distances_and_radii(X, distilled, balls, k, np.float64)
    return count + int(np.sum(np.sqrt(nearest) <= np.sqrt(radii) * (1 + _ROUNDING) + value_errors))


def _value_errors(X: np.ndarray, distilled: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Bound how far rounding moves a copy of a row, for example if it is scaled and scaled back."""
    precision = max(np.finfo(rows.dtype).eps for rows in (X, distilled))
    norms = np.concatenate([np.linalg.norm(block.astype(np.float64), axis=1) for block in _blocks(X, indices)])
    return np.asarray(4 * precision * norms)


def _squared_errors(X: np.ndarray, distilled: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Bound the rounding error of squared distances that are computed in float32."""
    centers = [rows.mean(axis=0, dtype=np.float64) for rows in (X, distilled)]
    squares = [
        np.max([np.square(block - center).sum(axis=1) for center in centers], axis=0) for block in _blocks(X, indices)
    ]
    return np.asarray(64 * np.finfo(np.float32).eps * np.concatenate(squares))


def _blocks(X: np.ndarray, indices: np.ndarray) -> Iterator[np.ndarray]:
    """Yield these rows in blocks; there is at least one, which may be empty."""
    step = max(1, _BLOCK_DISTANCES // X.shape[1])
    for start in range(0, max(1, len(indices)), step):
        yield X[indices[start : start + step]]


def _squared_distances_and_radii(
    X: np.ndarray, distilled: np.ndarray, indices: np.ndarray, k: int, dtype: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return squared distances to the nearest distilled and to the k-th nearest other row."""
    nearest, radii = np.zeros(len(indices)), np.zeros(len(indices))
    step = max(1, _BLOCK_DISTANCES // len(X))
    for start in range(0, len(indices), step):
        part = slice(start, start + step)
        block = indices[part]
        nearest[part] = squared_distances(X[block], distilled, dtype=dtype).min(axis=1)
        radii[part] = _squared_radii(X, block, k, dtype)
    return nearest, radii


def _squared_radii(X: np.ndarray, indices: np.ndarray, k: int, dtype: Any) -> np.ndarray:
    """Return the squared distances of rows to their k-th nearest other row, 0 if there is none."""
    if len(X) == 1:
        return np.zeros(len(indices))
    squares = squared_distances(X[indices], X, dtype=dtype)
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
