"""The first synthetic rows, from which optimization starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.condensation.problem._start_method import rows_of_method
from distillkit.neighbors import kmeans
from distillkit.utils._moments import column_means, mean_and_deviation, without_far_offsets

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["STARTS", "first_rows", "points_to_cluster", "start_rows"]

STARTS = ("kmeans", "mean", "real", "noise")
"""Names that `start_rows` knows; any other name is that of a registered method."""

_Start = Callable[
    [np.ndarray, "np.ndarray | None", "np.ndarray | None", int, "Run"], tuple[np.ndarray, "np.ndarray | None"]
]


def first_rows(init: Any, problem: CondensationProblem, run: Run) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Make the first synthetic rows of all groups.

    Parameters
    ----------
    init : str or distiller
        One of `STARTS`, or a method whose distilled rows are used: the name of a registered method
        (``name:preset``), or a distiller.
    problem : CondensationProblem
    run : Run

    Returns
    -------
    list of (X, y)
        See `start_rows`.
    """
    if isinstance(init, str) and init in STARTS:
        return [start_rows(init, problem, group, run) for group in problem.rows.groups]
    return rows_of_method(init, STARTS, problem, run)


def start_rows(init: str, problem: CondensationProblem, group: Group, run: Run) -> tuple[np.ndarray, np.ndarray | None]:
    """Make the first synthetic rows of a group.

    Parameters
    ----------
    init : {"kmeans", "mean", "real", "noise"}
        "kmeans" takes the centroids of k-means, with a continuous target as an additional column.
        "mean" takes the means of parts of equal size: random parts of a class, or the parts
        between quantiles of a continuous target. "real" takes random rows. "noise" draws standard
        normal numbers in the units of the network, with continuous targets at the quantiles. Rows
        with weights are clustered, averaged and drawn by them.
    problem : CondensationProblem
    group : Group
    run : Run

    Returns
    -------
    X : ndarray of shape (size, ...)
        In the units of the data.
    y : ndarray of shape (size,) or None
        None for classes.
    """
    rows: TrainingRows = problem.rows
    X = rows.flat[group.rows]
    y = problem.numbers(group.rows)
    if init == "noise":
        noise = run.rng.standard_normal((group.size, X.shape[1]))
        X_start: np.ndarray = problem.scaling.inverse_transform(noise)
        y_start = _quantiles(y, group.size)
    else:
        starts: dict[str, _Start] = {"kmeans": _centroids, "mean": _means, "real": _random_rows}
        X_start, y_start = starts[init](X, y, rows.weight_in(group), group.size, run)
    return X_start.reshape(group.size, *problem.shape), y_start


def _random_rows(
    X: np.ndarray, y: np.ndarray | None, weight: np.ndarray | None, size: int, run: Run
) -> tuple[np.ndarray, np.ndarray | None]:
    picks = run.rng.choice(len(X), size, replace=False, p=None if weight is None else weight / weight.sum())
    return X[picks], None if y is None else y[picks]


def _means(
    X: np.ndarray, y: np.ndarray | None, weight: np.ndarray | None, size: int, run: Run
) -> tuple[np.ndarray, np.ndarray | None]:
    order = run.rng.permutation(len(X)) if y is None else np.argsort(y, kind="stable")
    parts = np.array_split(order, size)
    means = np.stack([column_means(X[part], None if weight is None else weight[part]) for part in parts])
    if y is None:
        return means, None
    return means, np.array([np.average(y[part], weights=None if weight is None else weight[part]) for part in parts])


def _centroids(
    X: np.ndarray, y: np.ndarray | None, weight: np.ndarray | None, size: int, run: Run
) -> tuple[np.ndarray, np.ndarray | None]:
    if size == 1 and y is None:
        return column_means(X, weight)[None], None
    points, scale = points_to_cluster(X, y, weight)
    centroids = kmeans(points, size, weights=weight, seed=run.seed(), should_stop=run.out_of_time).centroids
    return centroids[:, : X.shape[1]], None if y is None else centroids[:, -1] / scale


def points_to_cluster(
    X: np.ndarray, y: np.ndarray | None, weight: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Return the points for k-means, and the factor of the target among their columns.

    A continuous target becomes an additional column, whose variance is scaled to the sum of the
    variances of all features, so that rows of a cluster have similar targets as well. The factor is
    1 for classes, which add no column. Variances are weighted if there are weights.
    """
    if y is None:
        return X, 1.0
    near = without_far_offsets(X)
    if weight is not None:
        variance = float(np.average(np.square(near - column_means(near, weight)), axis=0, weights=weight).sum())
        return _with_target(X, y, float(np.sqrt(variance)) or 1.0, mean_and_deviation(y, weight)[1])
    spread = float(np.sqrt(near.var(axis=0, dtype=np.float64).sum())) or 1.0
    return _with_target(X, y, spread, float(y.std()) or 1.0)


def _with_target(X: np.ndarray, y: np.ndarray, spread: float, deviation: float) -> tuple[np.ndarray, float]:
    scale = spread / deviation
    return np.column_stack([X, y * scale]), scale


def _quantiles(y: np.ndarray | None, size: int) -> np.ndarray | None:
    return None if y is None else np.quantile(y, (np.arange(size) + 0.5) / size)
