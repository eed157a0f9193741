"""The coverage: the share of the training rows with a distilled row in their neighborhood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from distillkit.distances._squared import pairwise_squares, scaled
from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured
from distillkit.metrics._neighborhoods import ROUNDING, Neighborhoods, value_errors
from distillkit.metrics._pairs import Pair, paired
from distillkit.metrics.reference import Part, Reference, shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["check_neighbors", "coverage", "expected_coverage", "neighborhoods", "scaled_distilled"]

_MAX_VALUES = 2.5e10  # largest product of pairs of rows and features whose distances are computed
_MIN_BALLS = 200


@shares_reference
def coverage(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, n_neighbors: int = 5, features: Any = None
) -> Measured:
    r"""Return the share of training rows with a distilled row in their neighborhood.

    .. math::

        \frac{1}{N} \sum_{i=1}^{N}
        1\big[\, \exists j: y_j = y_i,\ \|x_i - s_j\| < r_k(x_i) \,\big]

    where :math:`r_k(x_i)` is the distance of :math:`x_i` to its k-th nearest other training row of
    its class. A row at exactly this distance, such as a copy of that neighbor, is outside. With a
    continuous target, all rows form one class and the standardized target is one more column.

    The value grows with the number of distilled rows: random training rows, and rows that were held
    out, are expected to cover `expected_coverage` of the training rows, which is little for small
    sets. Compare a set only with others of its size. A set that has collapsed or has left the data
    falls below the expected coverage, and a well-spread set rises above it. Sample weights have no
    effect, except that distilled rows of weight 0 are left out in classification.

    Parameters
    ----------
    X : Reference, or array-like of shape (n, ...)
        Training rows as the distiller saw them.
    y : array-like of shape (n,) or None
        Class labels or numbers; ignored if `X` is a reference.
    distilled : DistilledSet
    random_state : int, default=0
        Seeds the feature extractor.
    n_neighbors : int, default=5
        The number k, as in the paper, limited to the number of other rows of the class. The only
        row of a class, and a row with k copies among the training rows, is never covered.
    features : str or object, default=None
        The features to compare, see `make_extractor`; None compares the values of the rows.

    Returns
    -------
    Measured
        In [0, 1]. The rows of classes without a distilled row are not covered. If there are too
        many training rows for the distances between all of them, the neighborhoods of random ones
        are examined (for 784 features and classes of 6,000 rows, some 5,000). Then the `error` is
        the standard error of this share.

    Raises
    ------
    DataError
        If `n_neighbors` is not positive or the rows cannot be compared.

    References
    ----------
    Naeem, Oh, Uh, Choi, Yoo: Reliable fidelity and diversity metrics for generative models. ICML
    2020, arXiv:2002.09797.
    """
    check_neighbors(n_neighbors)
    reference = Reference.of(X, y, distilled)
    extractor = reference.extractor(features, random_state)
    n_balls, n_covered = 0, 0
    for pair in paired(reference, None, distilled, features, random_state):
        remains, covered = _covered(reference, pair, n_neighbors)
        n_balls += int(remains.sum())
        n_covered += 0 if pair.stand_in else int(covered.sum())
    if n_balls == 0:
        raise DataError("none of the examined training rows is left: leave out fewer rows of the reference.")
    share, error, note = n_covered / n_balls, None, ""
    if n_balls < len(reference):
        # The balls are drawn without replacement, which makes the error smaller.
        error = float(np.sqrt(share * (1 - share) / n_balls * (1 - n_balls / len(reference))))
        note = f"the neighborhoods of {n_balls:,} of {len(reference):,} training rows were examined."
    return Measured(share, error, note=note, features=extractor.identity if features else "")


def check_neighbors(n_neighbors: int) -> None:
    """Raise an error if the number of neighbors is not positive."""
    if n_neighbors < 1:
        raise DataError(f"n_neighbors={n_neighbors} must be at least 1.")


def neighborhoods(reference: Reference, part: Part, k: int) -> Neighborhoods:
    """Return the neighborhoods of rows of a class, which are computed once for each reference."""
    root = reference.root

    def find() -> Neighborhoods:
        sizes = np.array([root.root_size]) if root.codes is None else np.bincount(root.codes)
        pairs_per_ball = float((sizes.astype(np.float64) ** 2).sum() / sizes.sum())
        n_balls = max(_MIN_BALLS, int(_MAX_VALUES / pairs_per_ball / part.whole.shape[1]))
        centers = np.arange(len(part.whole))
        if n_balls < root.root_size:
            rank = np.empty(root.root_size, dtype=np.intp)
            rank[root.order] = np.arange(root.root_size)
            centers = np.flatnonzero(rank[part.positions] < n_balls)
        return Neighborhoods.of(scaled(part.whole)[0][0], centers, k)

    return root.cached(("neighborhoods", part.key, k), find)


def scaled_distilled(balls: Neighborhoods, pair: Pair) -> np.ndarray:
    """Return distilled rows in the scale of the neighborhoods, which differs for extreme values."""
    if balls.whole is pair.part.whole:
        return pair.distilled
    return np.asarray(np.ldexp(pair.distilled, -scaled(pair.part.whole)[1]))


def _covered(reference: Reference, pair: Pair, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which balls of a class remain, and which of these hold a distilled row."""
    balls = neighborhoods(reference, pair.part, k)
    remains, radii = balls.squared_radii(pair.part.removed, k)
    S = scaled_distilled(balls, pair)
    centers = balls.whole[balls.centers]
    if not len(centers):
        return remains, remains
    nearest = np.full(len(centers), np.inf)
    step = max(1, 4_000_000 // len(centers))
    for start in range(0, len(S), step):
        nearest = np.minimum(nearest, pairwise_squares(centers, S[start : start + step]).min(axis=1))
    # A copy of the k-th neighbor may seem a little nearer by rounding.
    limit = np.sqrt(radii) * (1 - ROUNDING) - value_errors(centers, S)
    return remains, remains & (np.sqrt(nearest) < limit)


def expected_coverage(
    n_rows: int, n_distilled: int, n_neighbors: int, source: Literal["fresh", "picked"] = "fresh"
) -> float:
    r"""Return the expected coverage of random rows from the distribution of the training rows.

    Rows that are not among the training rows ("fresh") cover

    .. math:: 1 - \prod_{i=1}^{k} \frac{N - i}{N + M - i}

    of them on average, and random training rows ("picked", without replacement) cover

    .. math:: 1 - \prod_{j=0}^{k-1} \frac{N - M - j}{N - j}

    for N training rows, M distilled rows and k neighbors: a training row is covered by itself and
    by its k - 1 nearest rows. Both hold for every continuous distribution, within one class.

    Parameters
    ----------
    n_rows : int
        Number N of training rows.
    n_distilled : int
        Number M of distilled rows; at most N if they are picked.
    n_neighbors : int
        Number k of neighbors, limited to ``n_rows - 1``.
    source : {"fresh", "picked"}, default="fresh"
        Whether the distilled rows are new, or training rows themselves.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    DataError
        If `source` is neither, or more rows are picked than there are.

    References
    ----------
    Naeem, Oh, Uh, Choi, Yoo: Reliable fidelity and diversity metrics for generative models. ICML
    2020, arXiv:2002.09797.

    Examples
    --------
    >>> round(expected_coverage(10_000, 100, 5), 3)
    0.049
    >>> round(expected_coverage(180, 10, 5, "picked"), 3)
    0.251
    """
    k = min(n_neighbors, n_rows - 1)
    if source == "fresh":
        i = np.arange(1, k + 1)
        return float(1 - np.prod((n_rows - i) / (n_rows + n_distilled - i)))
    if source != "picked":
        raise DataError(f"source={source!r} is not known: give 'fresh' or 'picked'.")
    if n_distilled > n_rows:
        raise DataError(f"{n_distilled} rows cannot be picked out of {n_rows}: give at most {n_rows}.")
    j = np.arange(k)
    return float(1 - np.prod(np.maximum(n_rows - n_distilled - j, 0) / (n_rows - j)))
