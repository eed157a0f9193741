"""The control method that reduces each class to its mean."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome
from distillkit.utils._moments import column_means

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["ClassMeans"]


class ClassMeans(BaseDistiller):
    """Reduce each class to its mean, weighted by the number of rows in the class.

    A continuous target is divided into quantile bins, each of which gives the mean of its rows and
    the mean of their targets. Without a target, the result is one row: the mean of all rows.

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

    def __init__(self, *, bins: int = 10, task: str = "auto") -> None:
        self.bins = bins
        self.task = task

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Divide the rows: by class, or by quantiles of a continuous target.
        parts = [group.rows for group in rows.groups]
        if rows.task == "regression" and rows.y is not None:
            parts = np.array_split(np.argsort(rows.y, kind="stable"), min(self.bins, len(rows.X)))
        # 2. Average each part, in float64 because float32 sums of many rows lose precision.
        means = np.stack([column_means(rows.X[part]) for part in parts])
        # 3. Label each mean with its class, or with the mean of its continuous targets.
        y: np.ndarray | None = None
        if rows.task == "classification" and rows.y is not None:
            y = np.array([group.label for group in rows.groups], dtype=rows.y.dtype)
        elif rows.y is not None:
            y = np.array([rows.y[part].mean() for part in parts])
        return Outcome(X=means, y=y, weight=np.array([len(part) for part in parts], dtype=np.float64))
