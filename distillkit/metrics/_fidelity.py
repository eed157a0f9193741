"""Distances between the distributions of the distilled rows and of the training rows."""

from __future__ import annotations

from math import frexp, isqrt, ldexp, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit import distances
from distillkit.metrics._pairs import paired
from distillkit.metrics.reference import Reference, shares_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from distillkit.distilled import DistilledSet

__all__ = ["sliced_wasserstein", "wasserstein"]

_MAX_PAIRS = 10_000_000  # limit on the pairs of rows over all classes, which bounds the time
_SAFE_EXPONENT = 400  # squares of distances between 2**-400 and 2**400 are well within float64


@shares_reference
def wasserstein(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:
    """Return the exact 2-Wasserstein distance between distilled rows and training rows.

    With class labels, it is the root of the mean squared distance within the classes, weighted by
    their shares of the training rows. This equals the distance of the whole sets if nothing may
    move from one class to another and the weights of each class are scaled to its share. A class
    without distilled rows is compared with all distilled rows. With a continuous target, it is the
    distance of all rows, with the standardized target as one more column. See
    `distances.wasserstein`.

    Parameters
    ----------
    X, y, distilled
        As for `mmd`.
    random_state : int, default=0
        Seeds the choice of rows: at most 1,000 training and 1,000 distilled rows of each class, and
        fewer if there are many classes (ten million pairs in all).

    Returns
    -------
    float
        In the units of the rows.
    """
    return _class_mean(X, y, distilled, distances.wasserstein, 1000, power=2, seed=random_state)


@shares_reference
def sliced_wasserstein(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float:
    """Return the sliced 2-Wasserstein distance, over 128 random directions, of all rows.

    Classes and continuous targets are treated as by `wasserstein`; the directions are the same for
    all classes. See `distances.sliced_wasserstein`.

    Parameters
    ----------
    X, y, distilled
        As for `mmd`.
    random_state : int, default=0
        Seeds the directions.

    Returns
    -------
    float
        In the units of the rows; for d features it is about 1 / sqrt(d) of the exact distance.
    """
    return _class_mean(X, y, distilled, distances.sliced_wasserstein, power=2, seed=random_state)


def _class_mean(
    X: Any,
    y: Any,
    distilled: DistilledSet,
    distance: Callable[..., float],
    max_rows: int | None = None,
    power: int = 1,
    **options: Any,
) -> float:
    """Return the power mean of the distances of all pairs, weighted by their training rows."""
    reference = Reference.of(X, y, distilled)
    if max_rows is not None:
        # The limit does not depend on the distilled set, so that sets of all sizes are compared
        # with the same training rows.
        n_classes = 1 if reference.classes is None else len(reference.classes)
        options["max_rows"] = max(50, min(max_rows, isqrt(_MAX_PAIRS // n_classes)))
    values, shares = [], []
    for pair in paired(reference, None, distilled):
        if not len(pair.part):
            continue
        values.append(distance(pair.X, pair.distilled, y_weight=pair.weight, **options))
        shares.append(len(pair.X))
    if power == 1:
        return float(np.average(values, weights=shares))
    # Divide very large or small distances by a power of two, which is exact, before squaring them.
    exponent = frexp(max(values))[1]
    unit = ldexp(1.0, exponent) if abs(exponent) > _SAFE_EXPONENT else 1.0
    return unit * sqrt(float(np.average([(value / unit) ** 2 for value in values], weights=shares)))
