"""Wasserstein distances of the distilled rows from the training rows."""

from __future__ import annotations

from math import frexp, ldexp, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from distillkit import distances
from distillkit.distances._samples import normalized_weight, subsample
from distillkit.distances._squared import pairwise_squares, scaled
from distillkit.distances._wasserstein import optimal_plan
from distillkit.exceptions import DataError
from distillkit.metrics._measured import Measured
from distillkit.metrics._pairs import Pair, paired
from distillkit.metrics._sliced import squared_sliced_distance
from distillkit.metrics.reference import Reference, shares_reference

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["sliced_wasserstein", "wasserstein"]

_MAX_PAIRS = 2_000_000  # pairs of rows of one exact transport
_SINGLE_VALUES = 4_000_000  # values of rows beyond which costs are computed in float32
_SAFE_EXPONENT = 400  # squares of distances between 2**-400 and 2**400 are well within float64


@shares_reference
def wasserstein(
    X: Any,
    y: Any,
    distilled: DistilledSet,
    random_state: int = 0,
    *,
    method: Literal["exact", "sinkhorn"] = "exact",
    features: Any = None,
) -> Measured:
    """Return the 2-Wasserstein distance between distilled rows and training rows.

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
        Seeds the feature extractor, and the draws of rows for "sinkhorn".
    method : {"exact", "sinkhorn"}, default="exact"
        "exact" solves the transport. "sinkhorn" takes the root of the
        `distances.sinkhorn_divergence` of at most 1,000 rows of each class.
    features : str or object, default=None
        The features to compare, see `make_extractor`; None compares the values of the rows.

    Returns
    -------
    Measured
        In the units of the rows or features. All rows count, unless a class has more than two
        million pairs of training and distilled rows. Then random rows are compared; the `error`
        holds what this adds to the distance, by comparison with the values for half of these rows,
        and its standard error.

    Raises
    ------
    DataError
        If the rows cannot be compared, or `method` is unknown.
    """
    if method not in ("exact", "sinkhorn"):
        raise DataError(f"method={method!r} is not known: give 'exact' or 'sinkhorn'.")
    reference = Reference.of(X, y, distilled)
    results, shares = [], []
    for pair in paired(reference, None, distilled, features, random_state):
        if len(pair.part):
            results.append(_exact(reference, pair) if method == "exact" else _sinkhorn(pair, random_state))
            shares.append(len(pair.part))
    value = _root_mean([result[0] for result in results], shares)
    errors = np.array([result[1] for result in results]) * shares / np.sum(shares)
    # The biases of the classes add up; the error of a root is that of its square over twice itself.
    error = float(errors.sum()) / (2 * value) if errors.any() and value > 0 else None
    note = "" if error is None else "random rows of large classes were compared."
    identity = reference.extractor(features, random_state).identity if features else ""
    return Measured(value, error, note=note, features=identity)


@shares_reference
def sliced_wasserstein(
    X: Any, y: Any, distilled: DistilledSet, random_state: int = 0, *, n_projections: int = 128, features: Any = None
) -> Measured:
    """Return the sliced 2-Wasserstein distance, over random directions, of all rows.

    Classes and continuous targets are treated as by `wasserstein`; the directions are the same for
    all classes. See `distances.sliced_wasserstein`.

    Parameters
    ----------
    X, y, distilled
        As for `mmd`.
    random_state : int, default=0
        Seeds the directions, and the feature extractor.
    n_projections : int, default=128
        Number of directions, at least 1.
    features : str or object, default=None
        The features to compare, see `make_extractor`; None compares the values of the rows.

    Returns
    -------
    Measured
        In the units of the rows or features; for d features it is about 1 / sqrt(d) of the exact
        distance.

    Raises
    ------
    DataError
        If the rows cannot be compared, or `n_projections` is not positive.
    """
    if n_projections < 1:
        raise DataError(f"n_projections={n_projections} must be at least 1.")
    reference = Reference.of(X, y, distilled)
    values, shares = [], []
    for pair in paired(reference, None, distilled, features, random_state):
        if not len(pair.part):
            continue
        shares.append(len(pair.part))
        if scaled(_extent(reference, pair), pair.distilled)[1]:  # extreme values
            options: dict[str, Any] = {"y_weight": pair.weight, "n_projections": n_projections, "seed": random_state}
            values.append(distances.sliced_wasserstein(pair.X, pair.distilled, **options))
        else:
            values.append(sqrt(squared_sliced_distance(reference, pair, n_projections, random_state)))
    identity = reference.extractor(features, random_state).identity if features else ""
    return Measured(_root_mean(values, shares), features=identity)


def _root_mean(values: list[float], shares: list[int]) -> float:
    """Return the root of the weighted mean of squares."""
    # Divide very large or small distances by a power of two, which is exact, before squaring them.
    exponent = frexp(max(values))[1]
    unit = ldexp(1.0, exponent) if abs(exponent) > _SAFE_EXPONENT else 1.0
    return unit * sqrt(float(np.average([(value / unit) ** 2 for value in values], weights=shares)))


def _extent(reference: Reference, pair: Pair) -> np.ndarray:
    """Return the smallest and largest value of each feature of the training rows of a class."""
    whole = pair.part.whole
    make = lambda: np.stack([whole.min(axis=0), whole.max(axis=0)])  # noqa: E731
    return reference.root.cached(("extent", pair.part.key), make)


def _sinkhorn(pair: Pair, seed: int) -> tuple[float, float]:
    return sqrt(distances.sinkhorn_divergence(pair.X, pair.distilled, y_weight=pair.weight, seed=seed)), 0.0


def _exact(reference: Reference, pair: Pair) -> tuple[float, float]:
    """Return the distance of a pair, and an error of its square if rows were drawn."""
    rows, weight = pair.distilled[pair.weight > 0], pair.weight[pair.weight > 0]
    weight = normalized_weight(weight, len(rows))
    n, m = len(pair.part), len(rows)
    if n * m <= _MAX_PAIRS:
        if scaled(_extent(reference, pair), rows)[1] or pair.part.whole.size <= _SINGLE_VALUES:
            return distances.wasserstein(pair.X, rows, y_weight=weight, max_rows=max(n, m)), 0.0
        return sqrt(_squared_distance(pair.X, rows, weight)), 0.0
    # 1. Draw rows by their keys, so that sets of the same rows remain equal.
    n_small = min(m, int(sqrt(_MAX_PAIRS)))
    S, b = subsample(rows, weight, n_small, 0)
    kept = pair.part.kept
    order = kept[np.argsort(reference.root.keys[pair.part.positions[kept]], kind="stable")]
    chosen = order[: _MAX_PAIRS // n_small]
    if m == n and np.array_equal(rows, pair.X):
        return 0.0, 0.0
    # 2. The squared distance of n random rows exceeds that of all by a term of order 1 / n. So the
    #    difference of the halves from the whole estimates it.
    squared = _squared_distance(pair.part.whole[chosen], S, b)
    halves = [_squared_distance(pair.part.whole[chosen[half::2]], S, b) for half in (0, 1)]
    bias, spread = float(np.mean(halves)) - squared, abs(halves[0] - halves[1]) / 2
    return sqrt(squared), float(np.hypot(bias, spread))


def _squared_distance(X: np.ndarray, S: np.ndarray, weight: np.ndarray) -> float:
    """Return the squared distance of rows of equal weights from weighted rows."""
    single = X.size > _SINGLE_VALUES and X.dtype == np.float32
    costs = pairwise_squares(X, S, dtype=np.float32 if single else np.float64).astype(np.float64)
    plan = optimal_plan(np.full(len(X), 1 / len(X)), weight, costs, remedy="or give fewer rows")
    return max(0.0, float((plan * costs).sum()))
