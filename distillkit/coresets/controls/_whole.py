"""The control method that keeps every row, as an upper reference for all methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["WholeSet"]


class WholeSet(WeightedDistiller):
    """Keep all rows in their order, each with weight 1, or with its own weight if there are any.

    Parameters
    ----------
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.

    Examples
    --------
    >>> import numpy as np
    >>> WholeSet().fit_transform(np.eye(3)).shape
    (3, 3)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"task": BaseDistiller._parameter_constraints["task"]}
    _keeps_rows: ClassVar[bool] = True
    _reads_rows: ClassVar[bool] = False
    _accepts_sparse: ClassVar[bool] = True

    def __init__(self, *, task: str = "auto") -> None:
        self.task = task

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        return Outcome(indices=np.arange(rows.n_rows), weight=rows.weight)
