"""Floors of a metric: its values for random training rows, picked and held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.metrics._measured import Measured
from distillkit.metrics.reference._floor_sets import class_counts, random_sets
from distillkit.metrics.reference._reference import Reference
from distillkit.metrics.reference._sharing import marked, takes_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["FloorValues", "Floors", "call", "floor_values", "floors", "loaded_metric", "z_score"]

_ROUNDING = 1e-12
"""Share of a value by which draws that are equal but for rounding may differ."""

Floor = tuple[float, float]
"""Mean and standard deviation over the draws."""


@dataclass(frozen=True)
class FloorValues:
    """What a metric gives for random training rows, independent of a distilled set's own value.

    Parameters
    ----------
    picked, fresh : tuple of (float, float) or None
        Means and standard deviations over the draws, see `Floors`.
    draws : int
        Number of draws.
    note : str
        Why there are no floors, if so.
    """

    picked: Floor | None = None
    fresh: Floor | None = None
    draws: int = 0
    note: str = ""


@dataclass(frozen=True)
class Floors:
    """Value of a metric beside its values for random training rows of equal make-up.

    Parameters
    ----------
    value : float or None
        Value for the distilled set.
    picked : tuple of (float, float) or None
        Mean and standard deviation of the metric over sets of random training rows, which are
        compared with all training rows, themselves included. Methods that select rows have this
        advantage, too.
    fresh : tuple of (float, float) or None
        The same for random rows that are held out: they are compared with the other training rows.
        A perfect generator has this value.
    z : float or None
        Difference of the value from the mean of `fresh`, in its standard deviations.
    draws : int
        Number of draws.
    note : str
        Why there are no floors, if so.
    """

    value: float | None
    picked: Floor | None
    fresh: Floor | None
    z: float | None
    draws: int
    note: str = ""


def floors(
    metric: Any,
    X: Any,
    y: Any,
    distilled: DistilledSet,
    *,
    draws: int = 10,
    random_state: int = 0,
) -> Floors:
    """Measure a distilled set beside random training rows of equal size, class counts and weights.

    All distances between distributions reward copies of training rows, and depend on the number of
    rows. So a value means something only beside those of random training rows ("picked") and of
    random held-out rows ("fresh").

    Parameters
    ----------
    metric : callable or str
        Function of (X, y, distilled, random_state), such as `mmd` or
        ``functools.partial(fid, features="pca")``, or the registered name of a metric of stage
        "data".
    X : Reference, or array-like or frame of shape (n, ...)
        The training rows.
    y : array-like of shape (n,) or None
        Class labels or numbers; ignored if `X` is a reference.
    distilled : DistilledSet
    draws : int, default=10
        Number of random sets.
    random_state : int, default=0
        Random state of the metric and of the draws.

    Returns
    -------
    Floors
        Without floors, and with a note that says why, if the set has more than half of the training
        rows of a class.

    Raises
    ------
    DataError
        If the rows cannot be compared.

    Examples
    --------
    >>> import numpy as np
    >>> from distillkit.metrics import floors, mmd
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> from distillkit.distilled import DistilledSet
    >>> result = floors(mmd, X, None, DistilledSet(X[:20]))
    >>> result.picked[0] < result.fresh[0]
    True
    """
    metric = _loaded(metric)
    reference = Reference.of(X, y, distilled)
    value = call(metric, reference, distilled, random_state)
    floor = floor_values(metric, reference, distilled, draws, random_state)
    return Floors(value, floor.picked, floor.fresh, z_score(value, floor.fresh), floor.draws, floor.note)


def floor_values(
    metric: Callable[..., Any], reference: Reference, distilled: DistilledSet, draws: int, random_state: int
) -> FloorValues:
    """Measure random training rows of the make-up of a distilled set, picked and held out.

    Parameters
    ----------
    metric : callable
        Function of (X, y, distilled, random_state).
    reference : Reference
    distilled : DistilledSet
    draws, random_state : int

    Returns
    -------
    FloorValues
    """
    if draws < 1:
        return FloorValues(note="no floors were asked for.")
    if any(2 * n_distilled > n_rows for n_rows, n_distilled in class_counts(reference, distilled)):
        return FloorValues(note="the set has more than half of the training rows of a class, so it has no floor.")
    picked, fresh = [], []
    for random_set in random_sets(reference, distilled, draws, random_state):
        picked.append(call(metric, reference, random_set, random_state))
        fresh.append(call(metric, reference.without(random_set.indices), random_set, random_state))
    return FloorValues(_mean_and_deviation(picked), _mean_and_deviation(fresh), draws)


def z_score(value: float | None, fresh: Floor | None) -> float | None:
    """Return the distance of a value from the mean of a floor in its standard deviations.

    It is None without a value or a floor, and if all draws have one value that is another one.
    """
    if value is None or fresh is None:
        return None
    mean, deviation = fresh
    scale = max(abs(value), abs(mean))
    if abs(value - mean) <= _ROUNDING * scale:
        return 0.0
    return float((value - mean) / deviation) if deviation > _ROUNDING * scale else None


def call(metric: Callable[..., Any], reference: Reference, distilled: DistilledSet, random_state: int) -> float | None:
    """Return the value of a metric, which gets the reference or, if it does not take it, arrays."""
    if takes_reference(metric):
        value = metric(reference, None, distilled, random_state)
    else:
        value = metric(reference.X, reference.y, distilled, random_state)
    return value if value is None or isinstance(value, Measured) else float(value)


def _loaded(metric: Any) -> Callable[..., Any]:
    """Return the function of a metric that is given by its registered name."""
    from distillkit.plugins import get_manager

    if not isinstance(metric, str):
        loaded: Callable[..., Any] = metric
        return loaded
    return loaded_metric(get_manager().get("metric", metric))


def loaded_metric(spec: Any) -> Callable[..., Any]:
    """Return the function of a `MetricSpec` of stage "data", for `call`."""
    metric: Callable[..., Any] = spec.load()
    return marked(metric) if spec.shares_reference else metric


def _mean_and_deviation(values: list[float | None]) -> Floor | None:
    """Return the mean and the sample standard deviation of values; None if any is missing."""
    numbers = [value for value in values if value is not None]
    if not numbers or len(numbers) < len(values):
        return None
    return float(np.mean(numbers)), float(np.std(numbers, ddof=1)) if len(numbers) > 1 else 0.0
