"""What the methods share that give every row a score and keep one end of the ranking."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import StrOptions

from distillkit.base import BaseDistiller, Outcome
from distillkit.coresets._ranking import interleave, stratified

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["ScoredCoreset"]


class ScoredCoreset(BaseDistiller):
    """Base: a method writes `_scores`, one number per row, larger for harder rows."""

    _needs_y: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        "keep": [StrOptions({"easy", "hard"})],
    }

    def __init__(self, budget: Any = 0.1, *, keep: str = "easy", task: str = "auto", random_state: Any = None) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.keep = keep

    @abstractmethod
    def _scores(self, rows: TrainingRows, run: Run) -> np.ndarray:
        """Return a score for each row, shape (n,): the larger, the harder."""

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        self.scores_ = self._scores(rows, run)
        key = self.scores_ if self.keep == "easy" else -self.scores_
        draw = run.rng.permutation(len(key))  # equal scores: by lot, or the order of the file would choose
        rows = stratified(rows)
        picks = [group.rows[np.lexsort((draw[group.rows], key[group.rows]))[: group.size]] for group in rows.groups]
        order = interleave([group.size for group in rows.groups])
        weight = np.concatenate([np.full(group.size, len(group.rows) / group.size) for group in rows.groups])
        return Outcome(indices=np.concatenate(picks)[order], weight=weight[order])
