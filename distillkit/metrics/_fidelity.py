"""How far the distilled rows are, as a distribution, from the training rows."""

from __future__ import annotations

from math import isqrt, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit import distances
from distillkit.metrics._pairs import class_labels, flat_rows, paired

if TYPE_CHECKING:
    from collections.abc import Callable

    from distillkit.distilled import DistilledSet

__all__ = ["mmd", "sliced_wasserstein", "wasserstein"]

_MAX_PAIRS = 10_000_000  # of rows, over all classes: a second or two on two cores


def mmd(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:
    """Squared maximum mean discrepancy of the weighted distilled rows from the training rows; see `distances.mmd`.

    Class labels: the mean over the classes, by their shares of the training rows, of the discrepancy within the class;
    weights are scaled to sum to 1 in each. A class the distilled set does not have is compared with all its rows.
    A continuous target: of all rows, with the standardized target as one more column. The bandwidth is the median
    distance of at most 1,000 training rows of all classes (features alone): the same for every distilled set.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        Training rows as the distiller saw them; uint8 is read as pixels in [0, 1].
    y : array-like of shape (n,) or None
    distilled : DistilledSet
    random_state : int, default=0
        Of the rows drawn: of each class at most 2,000 training and 2,000 distilled rows, fewer where there are many
        classes (ten million pairs in all).

    Returns
    -------
    float
        In [0, 2]; 0 only where both are the same weighted points.
    """
    X = flat_rows(X)
    bandwidth = distances.median_bandwidth(X, seed=random_state)
    return _class_mean(X, y, distilled, distances.mmd, 2000, bandwidth=bandwidth, seed=random_state)


def wasserstein(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:
    """Exact 2-Wasserstein distance of the weighted distilled rows from the training rows; see `distances.wasserstein`.

    Class labels: the root of the mean over the classes, by their shares of the training rows, of the squared distance
    within the class. That is the distance of the whole sets where nothing may move from one class to another and the
    weights of each class are scaled to its share. A class the distilled set does not have is compared with all its
    rows. A continuous target: of all rows, with the standardized target as one more column.

    Parameters
    ----------
    X, y, distilled
        As for `mmd`.
    random_state : int, default=0
        Of the rows drawn: of each class at most 1,000 training and 1,000 distilled rows, fewer where there are many
        classes (ten million pairs in all).

    Returns
    -------
    float
        In the units of the rows.
    """
    return sqrt(_class_mean(X, y, distilled, distances.wasserstein, 1000, power=2, seed=random_state))


def sliced_wasserstein(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:
    """Sliced 2-Wasserstein distance over 128 directions, of all rows; see `distances.sliced_wasserstein`.

    Classes and continuous targets are treated as by `wasserstein`; the directions are the same for all classes.

    Parameters
    ----------
    X, y, distilled
        As for `mmd`.
    random_state : int, default=0
        Of the directions.

    Returns
    -------
    float
        In the units of the rows; for d features about 1 / sqrt(d) of the exact distance.
    """
    return sqrt(_class_mean(X, y, distilled, distances.sliced_wasserstein, power=2, seed=random_state))


def _class_mean(
    X: Any,
    y: Any,
    distilled: DistilledSet,
    distance: Callable[..., float],
    max_rows: int | None = None,
    power: int = 1,
    **options: Any,
) -> float:
    """Mean of the distances of all pairs to a power, weighted by the training rows in each."""
    if max_rows is not None:
        # the same for every distilled set, so that sets of all sizes are held against the same training rows
        labels = class_labels(y, distilled)
        options["max_rows"] = max(50, min(max_rows, isqrt(_MAX_PAIRS // (1 if labels is None else len(labels)))))
    values, shares = [], []
    for pair in paired(X, y, distilled):
        values.append(distance(pair.X, pair.distilled, y_weight=pair.weight, **options) ** power)
        shares.append(len(pair.X))
    return float(np.average(values, weights=shares))
