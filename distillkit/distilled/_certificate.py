"""What a distilled set costs in truth: the cost of several solutions on its weighted rows against that on all rows."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distilled._certificate_costs import KMeansCost, LogisticCost, RidgeCost, Weighted
from distillkit.exceptions import DataError
from distillkit.utils._json import to_jsonable
from distillkit.utils._public_names import PicklesByPublicName
from distillkit.utils._targets import infer_task

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["Certificate", "certify"]

_MOST_VALUES = 50_000_000
_MOST_FITTED = 4_000_000
_FEWEST = 1_000


@dataclass(frozen=True)
class Certificate(PicklesByPublicName):
    """How far the costs on a distilled set are from those on all rows.

    Parameters
    ----------
    error : float
        Largest relative difference over all costs and the solutions that were made without the set; infinite where the
        cost on all rows is 0 and that on the set is not.
    excess : float
        How much more, relatively, the solution that was fitted to the set costs on all rows than that fitted to the rows:
        the larger of the two for two costs. Slightly below 0 where neither is the optimum.
    costs : tuple of dict
        One per solution: cost ("k-means", "logistic" or "ridge"), solution, fitted_to_set, whole (its cost on all
        rows), distilled (on the weighted set) and error.
    rows : int
        Rows that stood for all: fewer than there are where those have more than 50 million values.
    seconds : float
    """

    error: float
    excess: float
    costs: tuple[dict[str, Any], ...]
    rows: int
    seconds: float

    def worst(self, cost: str) -> float:
        """Return the largest relative difference of one of the costs; solutions fitted to the set do not count."""
        return float(max(step["error"] for step in self.costs if step["cost"] == cost and not step["fitted_to_set"]))

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {
            "error": self.error,
            "excess": self.excess,
            "costs": [to_jsonable(step) for step in self.costs],
            "rows": self.rows,
        }


def certify(distilled: DistilledSet, X: Any, y: Any = None, *, random_state: int = 0) -> Certificate:
    """Hold the cost of several solutions on a distilled set against their cost on the rows it was made from.

    The error of a solution Q is ``|cost(set, Q) - cost(rows, Q)| / cost(rows, Q)``. A set on which it is at most e for all
    Q is an e-coreset of that cost; here it is measured for a few Q, good and bad ones: the largest is a lower bound of e. A
    solution that was fitted to the set looks better there than it is, the more so the smaller the set; it counts by what
    it costs on all rows (`Certificate.excess`).

    - k-means, without y and for classes (whose labels play no part): ``sum_i w_i min_c |x_i - c|^2`` for the mean, random
      rows, k-means of the rows and k-means of the set, ``k = min(10, m / 5)`` centers. The set's offset counts
      (``provenance["offset"]``, see `Outcome`): sets of means lack the spread within their clusters else.
    - logistic, for classes: ``sum_i w_i log(1 / p(y_i | x_i)) + |theta|^2 / 2`` for equal probabilities, the shares of
      the classes, and the models fitted to the rows and to the set.
    - ridge, for numbers: ``sum_i w_i (y_i - f(x_i))^2 + |theta|^2`` for the mean, random coefficients, and the models fitted to
      the rows and to the set.

    Models see features (and numbers) with the mean and the deviation of the rows taken out.

    Parameters
    ----------
    distilled : DistilledSet
        Compared in the units of the data.
    X : array-like of shape (n, ...)
        The rows it was made from.
    y : array-like of shape (n,) or None
    random_state : int, default=0
        Of random solutions and of the rows drawn.

    Returns
    -------
    Certificate

    Raises
    ------
    DataError
        If the rows do not fit the set.

    Notes
    -----
    Takes seconds: costs are those of all rows up to 50 million values, and else of as many rows drawn at random, scaled;
    solutions are fitted to at most 4 million values of rows drawn at random.
    """
    began, rng = time.perf_counter(), np.random.RandomState(random_state)
    rows, labels, small = _both(distilled, X, y)
    most = max(_FEWEST, _MOST_VALUES // rows.shape[1])
    drawn = np.arange(len(rows)) if len(rows) <= most else np.sort(rng.choice(len(rows), most, replace=False))
    weight = np.full(len(drawn), len(rows) / len(drawn))
    whole = Weighted(rows[drawn] if len(drawn) < len(rows) else rows, weight, None if labels is None else labels[drawn])
    fitted = max(_FEWEST, _MOST_FITTED // rows.shape[1])
    steps = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model that has not converged is a solution as good as any
        for cost in _costs(distilled, whole, labels):
            for name, solution in cost.solutions(whole.part(fitted, rng), small.part(fitted, rng), rng):
                steps.append(_step(cost.name, name, cost.of(whole, solution), cost.of(small, solution)))
    error = max(step["error"] for step in steps if not step["fitted_to_set"])
    return Certificate(error, _excess(steps), tuple(steps), len(drawn), time.perf_counter() - began)


def _both(distilled: DistilledSet, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray | None, Weighted]:
    rows, made = np.asarray(X), distilled.in_original_units()
    rows, made = rows.reshape(len(rows), -1), made.reshape(len(made), -1)
    labels = None if y is None else np.asarray(y)
    if rows.shape[1] != made.shape[1] or not len(rows):
        raise DataError(f"X has rows of {rows.shape[1]} features, but the distilled rows have {made.shape[1]}.")
    if labels is not None and (distilled.y is None or len(labels) != len(rows)):
        raise DataError(
            "y was given, but the set was distilled without it: leave it out."
            if distilled.y is None
            else f"y has {len(labels)} values, but X has {len(rows)} rows: give one for each."
        )
    offset = 0.0 if distilled.preprocessing is not None else float(distilled.provenance.get("offset", 0.0))
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    return rows, labels, Weighted(made, weight, None if labels is None else distilled.y, offset)


def _costs(distilled: DistilledSet, whole: Weighted, y: np.ndarray | None) -> Iterator[Any]:
    task = None
    if y is not None:
        task = "classification" if distilled.classes is not None else distilled.provenance.get("task") or infer_task(y)
    if task != "regression":
        yield KMeansCost(max(1, min(10, len(distilled) // 5)))
    if task == "regression":
        yield RidgeCost(whole)
    elif y is not None and len(np.unique(y)) > 1:
        yield LogisticCost(whole, np.unique(y))


def _step(cost: str, solution: str, whole: float, small: float) -> dict[str, Any]:
    error = abs(small - whole) / whole if whole > 0 else 0.0 if small == 0 else math.inf
    own = solution.endswith("of the set")
    return {
        "cost": cost,
        "solution": solution,
        "fitted_to_set": own,
        "whole": whole,
        "distilled": small,
        "error": error,
    }


def _excess(steps: list[dict[str, Any]]) -> float:
    """Relative excess, on all rows, of solutions fitted to the set over those fitted to the rows."""
    excesses = [0.0]
    for own in (step for step in steps if step["fitted_to_set"]):
        best = next(step["whole"] for step in steps if step["solution"] == own["solution"].replace("set", "rows"))
        excesses.append(own["whole"] / best - 1 if best > 0 else 0.0 if own["whole"] == 0 else math.inf)
    return max(excesses[1:] or excesses)
