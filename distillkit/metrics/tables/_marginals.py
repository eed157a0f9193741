"""Distances between the marginal distributions of the columns of two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from distillkit.metrics._sides import sides_of
from distillkit.metrics.reference import shares_reference
from distillkit.metrics.tables._columns import table_columns

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["kolmogorov_smirnov", "marginal_ks", "marginal_tv"]


@shares_reference
def marginal_tv(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float | None:  # noqa: ARG001 (part of the call of a metric)
    r"""Return the mean total variation distance between the levels of both tables.

    The distance of one column is :math:`\frac{1}{2} \sum_l |p_l - q_l|` over its levels, with the
    shares p of the training rows and q of the distilled rows, which count by their weights. The
    columns are the categories, truth values and marks of gaps of a mixed table; in an array, those
    of at most two different values. Class labels are one more column. A distilled value between two
    levels counts as the nearest one.

    Parameters
    ----------
    X : array-like or frame of shape (n, d), or Reference
        Training rows as the distiller saw them.
    y : array-like of shape (n,) or None
        Class labels or numbers.
    distilled : DistilledSet
    random_state : int, default=0
        Has no effect: nothing is drawn.

    Returns
    -------
    float or None
        In [0, 1]; None if no column has levels.

    Raises
    ------
    DataError
        If the rows are no table, or cannot be compared.
    """
    sides = sides_of(X, y, distilled)
    whole, small = table_columns(sides, distilled.table, "marginal-tv")
    weight = sides.weight / sides.weight.sum()
    kept = sides.reference.kept
    values = []
    for place in range(whole.levels.shape[1]):
        n_levels = int(max(whole.levels[:, place].max(), small.levels[:, place].max())) + 1
        shares = np.bincount(whole.levels[kept, place], minlength=n_levels) / len(kept)
        values.append(np.abs(shares - np.bincount(small.levels[:, place], weight, n_levels)).sum() / 2)
    return float(np.mean(values)) if values else None


@shares_reference
def marginal_ks(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float | None:  # noqa: ARG001 (part of the call of a metric)
    """Return the mean Kolmogorov-Smirnov distance between the numbers of both tables.

    The distance of one column is the largest difference between the two cumulative distribution
    functions; distilled rows count by their weights. The columns are all those that `marginal_tv`
    does not compare. A continuous target is one more column.

    Parameters
    ----------
    X, y, distilled, random_state
        As for `marginal_tv`.

    Returns
    -------
    float or None
        In [0, 1]; None if no column holds numbers.

    Raises
    ------
    DataError
        If the rows are no table, or cannot be compared.
    """
    sides = sides_of(X, y, distilled)
    whole, small = table_columns(sides, distilled.table, "marginal-ks")
    reference = sides.reference
    ordered = reference.root.cached(("sorted columns", whole.numbers.shape[1]), lambda: np.sort(whole.numbers, axis=0))
    values = [
        kolmogorov_smirnov(
            ordered[:, place], small.numbers[:, place], sides.weight, whole.numbers[reference.removed, place]
        )
        for place in range(whole.numbers.shape[1])
    ]
    return float(np.mean(values)) if values else None


def kolmogorov_smirnov(ordered: np.ndarray, sample: np.ndarray, weight: np.ndarray, removed: np.ndarray) -> float:
    """Return the Kolmogorov-Smirnov distance of a sorted sample and a weighted one.

    The difference of the two functions is largest on one side of a value of the second sample:
    between two of its neighboring values, its own function is constant and the other one rises.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        The first sample, sorted, including the removed values.
    sample, weight : ndarray of shape (m,)
        The second sample and its weights.
    removed : ndarray of shape (r,)
        Values of the first sample that do not count.

    Returns
    -------
    float
        In [0, 1].
    """
    points, places = np.unique(sample, return_inverse=True)
    after = np.cumsum(np.bincount(places.ravel(), weight))
    above = after / after[-1]
    below = np.append(0.0, above[:-1])
    removed = np.sort(removed)
    largest = 0.0
    sides: tuple[tuple[Literal["right", "left"], np.ndarray], ...] = (("right", above), ("left", below))
    for side, other in sides:
        counts = np.searchsorted(ordered, points, side) - np.searchsorted(removed, points, side)
        largest = max(largest, float(np.abs(counts / (len(ordered) - len(removed)) - other).max()))
    return largest
