"""The control method that reduces each class to its mean."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller
from distillkit.utils._moments import column_means
from distillkit.utils._sparse import is_sparse, mean_of_rows

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["ClassMeans"]


class ClassMeans(WeightedDistiller):
    """Reduce each class to its mean, weighted by the number of rows in the class.

    A continuous target is divided into quantile bins, each of which gives the mean of its rows and
    the mean of their targets. Without a target, the result is one row: the mean of all rows. Means
    are weighted if the rows have weights; a bin then holds a share of the weights, and a row, which
    is in one bin alone, may leave the next bin empty.

    Parameters
    ----------
    bins : int, default=10
        Number of quantile bins of a continuous target, at least 1. There are never more bins than
        rows.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [2.0], [5.0]]), np.array(["a", "a", "b"])
    >>> means = ClassMeans().fit(X, y)
    >>> means.X_distilled_.tolist(), means.sample_weight_.tolist()
    ([[1.0], [5.0]], [2.0, 1.0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "task": BaseDistiller._parameter_constraints["task"],
        "bins": [Interval(Integral, 1, None, closed="left")],
    }
    _accepts_sparse: ClassVar[bool] = True

    def __init__(self, *, bins: int = 10, task: str = "auto") -> None:
        self.bins = bins
        self.task = task

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Divide the rows: by class, or by quantiles of a continuous target.
        parts = [group.rows for group in rows.groups]
        if rows.task == "regression" and rows.y is not None:
            parts = _bins(rows.y, rows.weight, min(self.bins, rows.n_rows))
        # 2. Average each part, in float64 because float32 sums of many rows lose precision.
        weight = np.ones(rows.n_rows) if rows.weight is None else rows.weight
        means = np.stack([_mean(rows.X[part], None if rows.weight is None else weight[part]) for part in parts])
        # 3. Label each mean with its class, or with the mean of its continuous targets.
        y: np.ndarray | None = None
        if rows.task == "classification" and rows.y is not None:
            y = np.array([group.label for group in rows.groups], dtype=rows.y.dtype)
        elif rows.y is not None:
            y = np.array([np.average(rows.y[part], weights=weight[part]) for part in parts])
        return Outcome(X=means, y=y, weight=np.array([weight[part].sum() for part in parts]))


def _mean(X: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the (weighted) mean of rows, float64."""
    if is_sparse(X):
        return mean_of_rows(X, weight)
    if X.ndim > 2 and weight is not None:
        return column_means(X.reshape(len(X), -1), weight).reshape(X.shape[1:])
    return column_means(X, weight)


def _bins(y: np.ndarray, weight: np.ndarray | None, n_bins: int) -> list[np.ndarray]:
    """Divide the rows into quantile bins of y: of equal numbers of rows, or of equal weight."""
    order = np.argsort(y, kind="stable")
    if weight is None:
        return list(np.array_split(order, n_bins))
    # A row belongs to the bin in which the middle of its part of the total weight lies.
    ends = np.cumsum(weight[order])
    bins = ((ends - weight[order] / 2) / ends[-1] * n_bins).astype(np.intp)
    return [order[bins == number] for number in np.unique(bins)]
