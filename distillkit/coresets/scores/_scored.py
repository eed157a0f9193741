"""The base class of coresets that rank rows by a score and keep one end of the ranking."""

from __future__ import annotations

from abc import abstractmethod
from math import ceil
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller
from distillkit.coresets.shared._ranking import interleave, stratified

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["ScoredCoreset"]


class ScoredCoreset(WeightedDistiller):
    """Base class of score-based coresets; a subclass implements `_scores` alone.

    Weights of the rows weight the training of the models that score them, and the distilled rows of
    a class share its weight. They do not change which of two scores is larger.
    """

    _needs_y: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        "keep": [StrOptions({"easy", "hard"})],
        "among": [Interval(Real, 0, 1, closed="right"), None],
    }
    _row_attributes: ClassVar[dict[str, float]] = {"scores_": float("nan")}

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        keep: str = "easy",
        among: float | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.keep = keep
        self.among = among

    @abstractmethod
    def _scores(self, rows: TrainingRows, run: Run) -> np.ndarray:
        """Return a score for each row, shape (n,); larger means harder."""

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Score all rows; ties are broken at random, not by the order of the rows.
        self.scores_ = self._scores(rows, run)
        key = self.scores_ if self.keep == "easy" else -self.scores_
        random_order = run.rng.permutation(len(key))
        # 2. Keep one end of the ranking of each class, or of each bin of a continuous target.
        rows = stratified(rows)
        picks = [self._select(group, key, random_order) for group in rows.groups]
        order = interleave([group.size for group in rows.groups])
        weight = np.concatenate([rows.equal_weight(group) for group in rows.groups])
        return Outcome(indices=np.concatenate(picks)[order], weight=weight[order])

    def _select(self, group: Group, key: np.ndarray, random_order: np.ndarray) -> np.ndarray:
        """Return the rows of a group at the end of its ranking, or a random subset of that end."""
        ranked = group.rows[np.lexsort((random_order[group.rows], key[group.rows]))]
        if self.among is None:
            return ranked[: group.size]
        candidates = ranked[: max(group.size, ceil(self.among * len(ranked)))]
        return candidates[np.argsort(random_order[candidates], kind="stable")[: group.size]]
