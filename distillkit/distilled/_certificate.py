"""Certificates: the cost of several solutions on a distilled set compared with all its rows."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distilled._certificate_costs import KMeansCost, LogisticCost, RidgeCost, WeightedRows
from distillkit.distilled._fit_weights import weight_of_the_fit
from distillkit.exceptions import DataError
from distillkit.utils._json import to_jsonable
from distillkit.utils._magnitude import within_range
from distillkit.utils._public_names import PicklesByPublicName
from distillkit.utils._targets import infer_task

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["Certificate", "certify"]

_MOST_VALUES = 50_000_000  # values of X on which costs are computed
_MOST_FITTED = 4_000_000  # values of X to which solutions are fitted
_FEWEST = 1_000  # rows, whatever their length


@dataclass(frozen=True)
class Certificate(PicklesByPublicName):
    """Differences between the costs on a distilled set and those on all rows.

    Parameters
    ----------
    error : float
        Largest relative difference, over all costs and all solutions that were not fitted to the
        set. It is infinite if the cost on all rows is 0 and that on the set is not.
    excess : float
        Relative excess cost, on all rows, of the solution fitted to the set over the solution
        fitted to the rows; with two costs, the larger one. Slightly negative values mean that the
        fits are not optimal.
    costs : tuple of dict
        One entry per solution: cost ("k-means", "logistic" or "ridge"), solution, fitted_to_set,
        whole (cost on all rows), distilled (cost on the weighted set) and error.
    rows : int
        Number of rows on which costs were computed. It is smaller than the number of training rows
        if these have more than 50 million values.
    seconds : float
        Duration of the computation.
    """

    error: float
    excess: float
    costs: tuple[dict[str, Any], ...]
    rows: int
    seconds: float

    def worst(self, cost: str) -> float:
        """Return the largest relative difference of one of the costs.

        Parameters
        ----------
        cost : {"k-means", "logistic", "ridge"}

        Returns
        -------
        float
            Solutions that were fitted to the set are not included.
        """
        return float(max(step["error"] for step in self.costs if step["cost"] == cost and not step["fitted_to_set"]))

    def as_dict(self) -> dict[str, Any]:
        """Return the certificate as JSON-able values, without the seconds."""
        return {
            "error": self.error,
            "excess": self.excess,
            "costs": [to_jsonable(step) for step in self.costs],
            "rows": self.rows,
        }


def certify(
    distilled: DistilledSet,
    X: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    offset: bool = True,
    random_state: int = 0,
) -> Certificate:
    """Compare the costs of several solutions on a distilled set with their costs on all rows.

    The error of a solution Q is ``|cost(set, Q) - cost(rows, Q)| / cost(rows, Q)``. A set is an
    e-coreset for a cost if this is at most e for all Q. Here it is measured for several Q, good and
    bad ones, so the largest error is a lower bound on e. A solution fitted to the set has too low a
    cost on the set, especially on a small one; it is therefore judged by its cost on all rows
    (`Certificate.excess`).

    - k-means, without y and for classes (whose labels are ignored): ``sum_i w_i min_c |x_i - c|^2``
      for the mean, random rows, k-means of the rows and k-means of the set, with
      ``k = min(10, m / 5)`` centers. The offset of the set (``provenance["offset"]``, see
      `Outcome`) is added, because sets of means lack the spread within their clusters, unless
      ``offset=False``.
    - logistic, for classes: ``sum_i w_i log(1 / p(y_i | x_i)) + |theta|^2 / 2`` for equal
      probabilities, the shares of the classes, and the models fitted to the rows and to the set.
    - ridge, for numbers: ``sum_i w_i (y_i - f(x_i))^2 + |theta|^2`` for the mean, random
      coefficients, and the models fitted to the rows and to the set.

    Models use features (and continuous targets) standardized by the mean and deviation of the rows.

    Parameters
    ----------
    distilled : DistilledSet
        Compared in the units of the data.
    X : array-like of shape (n, ...)
        The rows from which the set was made.
    y : array-like of shape (n,) or None
        Their labels or numbers.
    sample_weight : array-like of shape (n,), number or None, default=None
        Their weights, if the set was made with weights.
    offset : bool, default=True
        Whether the offset that the method has reported is part of the k-means cost. It is a
        constant that a user who minimizes the cost can ignore, but nothing proves it. Comparisons
        of methods therefore leave it out.
    random_state : int, default=0
        Seed of random solutions and of the random rows.

    Returns
    -------
    Certificate

    Raises
    ------
    DataError
        If the rows or their weights do not fit the set.

    Notes
    -----
    Costs are computed on all rows up to 50 million values, otherwise on as many rows drawn at
    random, with scaled weights. Solutions are fitted to at most 4 million values of rows drawn at
    random. Rows are drawn as sorted along a fixed direction, so that their order has no effect.
    """
    # 1. Take all rows, or a random sample of them if they are very many.
    start, rng = time.perf_counter(), np.random.RandomState(random_state)
    rows, y_valid, distilled_rows = _validated_rows(distilled, X, y, offset)
    row_weight = weight_of_the_fit(distilled, rows, sample_weight)
    max_rows = max(_FEWEST, _MOST_VALUES // rows.shape[1])
    sample = np.arange(len(rows))
    if len(rows) > max_rows:
        sample = WeightedRows(rows, row_weight, None).order()[np.sort(rng.choice(len(rows), max_rows, replace=False))]
    weight = row_weight[sample] * (row_weight.sum() / row_weight[sample].sum())
    all_rows = WeightedRows(
        rows[sample] if len(sample) < len(rows) else rows, weight, None if y_valid is None else y_valid[sample]
    )
    # 2. Compute each cost of each solution on the rows and on the set.
    max_fitted = max(_FEWEST, _MOST_FITTED // rows.shape[1])
    costs = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model that has not converged is a valid solution, too
        for cost in _costs(distilled, all_rows, y_valid):
            for name, solution in cost.solutions(
                all_rows.sample(max_fitted, rng), distilled_rows.sample(max_fitted, rng), rng
            ):
                costs.append(
                    _comparison(cost.name, name, cost.of(all_rows, solution), cost.of(distilled_rows, solution))
                )
    error = max(step["error"] for step in costs if not step["fitted_to_set"])
    return Certificate(error, _excess(costs), tuple(costs), len(sample), time.perf_counter() - start)


def _validated_rows(
    distilled: DistilledSet, X: Any, y: Any, with_offset: bool
) -> tuple[np.ndarray, np.ndarray | None, WeightedRows]:
    """Return the flattened rows, their labels, and the distilled rows in the same units."""
    rows, distilled_rows = distilled.encode(X), distilled.in_original_units()
    names = distilled.feature_names if distilled.table is None else None
    rows = within_range(rows.reshape(len(rows), -1), names) if len(rows) else rows.reshape(0, 0)
    distilled_rows = distilled_rows.reshape(len(distilled_rows), -1)
    labels = None if y is None else np.asarray(y)
    if rows.shape[1] != distilled_rows.shape[1] or not len(rows):
        raise DataError(
            f"X has rows of {rows.shape[1]} features, but the distilled rows have {distilled_rows.shape[1]}: "
            "give the rows from which the set was made."
        )
    if labels is not None and (distilled.y is None or len(labels) != len(rows)):
        raise DataError(
            "y was given, but the set was distilled without it: leave y out."
            if distilled.y is None
            else f"y has {len(labels)} values, but X has {len(rows)} rows: give one for each row."
        )
    known = with_offset and distilled.preprocessing is None
    offset = float(distilled.provenance.get("offset", 0.0)) if known else 0.0
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    return rows, labels, WeightedRows(distilled_rows, weight, None if labels is None else distilled.y, offset)


def _costs(distilled: DistilledSet, all_rows: WeightedRows, y: np.ndarray | None) -> Iterator[Any]:
    """Yield the costs that apply to the task of the set."""
    task = None
    if y is not None:
        task = "classification" if distilled.classes is not None else distilled.provenance.get("task") or infer_task(y)
    if task != "regression":
        yield KMeansCost(max(1, min(10, len(distilled) // 5)))
    if task == "regression":
        yield RidgeCost(all_rows)
    elif y is not None and len(np.unique(y)) > 1:
        yield LogisticCost(all_rows, np.unique(y))


def _comparison(cost: str, solution: str, whole: float, small: float) -> dict[str, Any]:
    """Return one entry of `Certificate.costs`."""
    error = abs(small - whole) / whole if whole > 0 else 0.0 if small == 0 else math.inf
    fitted_to_set = solution.endswith("of the set")
    return {
        "cost": cost,
        "solution": solution,
        "fitted_to_set": fitted_to_set,
        "whole": whole,
        "distilled": small,
        "error": error,
    }


def _excess(steps: list[dict[str, Any]]) -> float:
    """Return the relative excess cost on all rows of fits to the set over fits to the rows."""
    excesses = [0.0]
    for fitted in (step for step in steps if step["fitted_to_set"]):
        best = next(step["whole"] for step in steps if step["solution"] == fitted["solution"].replace("set", "rows"))
        excesses.append(fitted["whole"] / best - 1 if best > 0 else 0.0 if fitted["whole"] == 0 else math.inf)
    return max(excesses[1:] or excesses)
