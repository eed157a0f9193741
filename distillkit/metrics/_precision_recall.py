"""Precision, recall and density of distilled rows, by neighborhoods within classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distances._squared import pairwise_squares
from distillkit.exceptions import DataError
from distillkit.metrics._coverage import check_neighbors, neighborhoods, scaled_distilled
from distillkit.metrics._measured import Measured
from distillkit.metrics._neighborhoods import ROUNDING, squared_radii, value_errors
from distillkit.metrics._pairs import Pair, paired
from distillkit.metrics.reference import Reference, shares_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from distillkit.distilled import DistilledSet

__all__ = ["density", "precision", "recall"]

_NOTE = "neighborhoods of random training rows were examined, which lowers the value."


@shares_reference
def precision(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, n_neighbors: int = 5, features: Any = "pca"
) -> Measured:
    """Return the share of distilled rows in the neighborhood of some training row of their class.

    The neighborhood of a training row is the ball that reaches to its k-th nearest other training
    row of its class; rows at exactly this distance are outside. The shares within the classes are
    averaged with the proportions of the classes in the training rows, and within a class, distilled
    rows count by their sample weights. A class without distilled rows counts as 0. With a
    continuous target, all rows form one class and the standardized target is one more column.

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
        The number k, limited to the number of other rows of the class.
    features : str or object, default="pca"
        The features to compare, see `make_extractor`.

    Returns
    -------
    Measured
        In [0, 1]. For so many rows and features that not all distances can be computed, the
        neighborhoods of random training rows are examined, as the note says.

    Raises
    ------
    DataError
        If `n_neighbors` is not positive or the rows cannot be compared.

    References
    ----------
    Kynkäänniemi, Karras, Laine, Lehtinen, Aila: Improved precision and recall metric for assessing
    generative models. NeurIPS 2019, arXiv:1904.06991.
    """

    def share(inside: np.ndarray, weight: np.ndarray) -> float:
        return float(weight @ inside.any(axis=0) / weight.sum())

    return _mean_over_classes(X, y, distilled, random_state, n_neighbors, features, share)


@shares_reference
def density(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, n_neighbors: int = 5, features: Any = "pca"
) -> Measured:
    """Return how many neighborhoods of training rows hold a distilled row, on average, over k.

    About 1 for fresh rows of the distribution of the training rows, and more for rows in its
    densest parts. Neighborhoods, classes, weights and arguments are those of `precision`.

    Parameters
    ----------
    X, y, distilled, random_state
        As for `precision`.
    n_neighbors : int, default=5
        The number k, as for `precision`.
    features : str or object, default="pca"
        As for `precision`.

    Returns
    -------
    Measured
        At least 0, without an upper bound.

    References
    ----------
    Naeem, Oh, Uh, Choi, Yoo: Reliable fidelity and diversity metrics for generative models. ICML
    2020, arXiv:2002.09797.
    """

    def mean_count(inside: np.ndarray, weight: np.ndarray) -> float:
        return float(inside.sum(axis=0) @ weight / weight.sum() / n_neighbors)

    return _mean_over_classes(X, y, distilled, random_state, n_neighbors, features, mean_count)


@shares_reference
def recall(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, n_neighbors: int = 5, features: Any = "pca"
) -> Measured | None:
    """Return the share of training rows in the neighborhood of some distilled row of their class.

    The neighborhood of a distilled row reaches to its k-th nearest other distilled row of its
    class; rows at exactly this distance are outside. Classes and arguments are those of
    `precision`; rows of weight 0 are left out, and other weights have no effect.

    Parameters
    ----------
    X, y, distilled, random_state
        As for `precision`.
    n_neighbors : int, default=5
        The number k, as for `precision`.
    features : str or object, default="pca"
        As for `precision`.

    Returns
    -------
    Measured or None
        In [0, 1]; None if no class has more than k distilled rows. Classes that have fewer count
        as 0. Sparse sets have large neighborhoods, so that outliers raise the value: see
        `coverage`, which has no such flaw.

    References
    ----------
    Kynkäänniemi, Karras, Laine, Lehtinen, Aila: Improved precision and recall metric for assessing
    generative models. NeurIPS 2019, arXiv:1904.06991.
    """
    check_neighbors(n_neighbors)
    reference = Reference.of(X, y, distilled)
    total, defined = 0.0, False
    for pair in paired(reference, None, distilled, features, random_state):
        S = pair.distilled[pair.weight > 0]
        if pair.stand_in or len(S) <= n_neighbors:
            continue
        defined = True
        radii = np.sqrt(squared_radii(S, S, n_neighbors + 1)) * (1 - ROUNDING)  # the row itself is the nearest
        inside = _within(pair.part.whole, S, radii - value_errors(S, pair.part.whole))
        inside[pair.part.removed] = False
        total += float(inside.any(axis=1).sum())
    identity = reference.extractor(features, random_state).identity if features else ""
    return Measured(total / len(reference), features=identity) if defined else None


def _mean_over_classes(
    X: Any,
    y: Any,
    distilled: DistilledSet,
    random_state: int,
    k: int,
    features: Any,
    summary: Callable[[np.ndarray, np.ndarray], float],
) -> Measured:
    """Average a summary of which distilled rows are in which balls, over the classes."""
    check_neighbors(k)
    reference = Reference.of(X, y, distilled)
    total, n_balls = 0.0, 0
    for pair in paired(reference, None, distilled, features, random_state):
        inside = _inside(reference, pair, k)
        n_balls += len(inside)
        if not pair.stand_in and len(pair.part) and len(inside):
            total += len(pair.part) / len(reference) * summary(inside, pair.weight)
    if n_balls == 0:
        raise DataError("none of the examined training rows is left: leave out fewer rows of the reference.")
    identity = reference.extractor(features, random_state).identity if features else ""
    return Measured(total, note=_NOTE if n_balls < len(reference) else "", features=identity)


def _inside(reference: Reference, pair: Pair, k: int) -> np.ndarray:
    """Return which of m distilled rows are in which of b remaining balls, as an array (b, m)."""
    balls = neighborhoods(reference, pair.part, k)
    remains, radii = balls.squared_radii(pair.part.removed, k)
    centers, S = balls.whole[balls.centers[remains]], scaled_distilled(balls, pair)
    limits = np.sqrt(radii[remains]) * (1 - ROUNDING) - value_errors(centers, S)
    return np.ascontiguousarray(_within(S, centers, limits).T)


def _within(rows: np.ndarray, centers: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return which of n rows are nearer to which of m centers than its limit (n, m)."""
    inside = np.zeros((len(rows), len(centers)), dtype=bool)
    step = max(1, 4_000_000 // max(1, len(centers)))
    for start in range(0, len(rows) if len(centers) else 0, step):
        squares = pairwise_squares(rows[start : start + step], centers)
        inside[start : start + step] = np.sqrt(squares) < limits
    return inside
