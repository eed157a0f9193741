"""The smallest sensible control: the mean of each class."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["ClassMeans"]


class ClassMeans(BaseDistiller):
    """One made row per class: its mean, weighted by the size of the class.

    For a continuous target the classes are quantile bins of y, and each row's target is the mean of its bin; without
    a target there is one row, the mean of all.

    Parameters
    ----------
    bins : int, default=10
        Quantile bins of a continuous target, at most the rows there are.
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
        parts = [group.rows for group in rows.groups]
        if rows.task == "regression" and rows.y is not None:
            parts = np.array_split(np.argsort(rows.y, kind="stable"), min(self.bins, len(rows.X)))
        # float64 sums: a float32 mean of many rows would drift from the true mean
        means = np.stack([rows.X[part].mean(axis=0, dtype=np.float64) for part in parts])
        y: np.ndarray | None = None
        if rows.task == "classification" and rows.y is not None:
            y = np.array([group.label for group in rows.groups], dtype=rows.y.dtype)
        elif rows.y is not None:
            y = np.array([rows.y[part].mean() for part in parts])
        return Outcome(X=means, y=y, weight=np.array([len(part) for part in parts], dtype=np.float64))
