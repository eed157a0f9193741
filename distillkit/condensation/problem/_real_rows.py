"""Batches of training rows that are drawn from all groups together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from distillkit.condensation.problem._problem import Batch
from distillkit.utils._weighted_draw import weighted_draw

if TYPE_CHECKING:
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["RealRows"]


class RealRows:
    """Draws batches from all groups, with equal probability for each row or by the weights.

    Parameters
    ----------
    problem : CondensationProblem
    """

    def __init__(self, problem: CondensationProblem) -> None:
        groups = problem.rows.groups
        self._problem = problem
        self.positions = np.concatenate([group.rows for group in groups])
        self._weight = None if problem.rows.weight is None else problem.rows.weight[self.positions]
        if problem.rows.task == "classification":
            labels = np.array([group.label for group in groups])
            assert problem.rows.y is not None
            codes = np.searchsorted(labels, problem.rows.y[self.positions])
            self._targets = torch.as_tensor(codes, device=problem.device)
        else:
            assert problem.rows.y is not None
            self._targets = problem.targets(0, problem.rows.y[self.positions], len(self.positions))

    def __len__(self) -> int:
        return len(self.positions)

    def draw(self, size: int, rng: np.random.Generator) -> Batch:
        """Draw `size` rows without replacement, or all rows if there are fewer.

        Rows with weights are drawn in proportion to them, see `weighted_draw`.
        """
        if self._weight is not None:
            return self.take(weighted_draw(self._weight, size, rng))
        if len(self) <= size:
            return self.take(np.arange(len(self)))
        return self.take(rng.choice(len(self), size, replace=False, shuffle=False))

    def take(self, picks: np.ndarray) -> Batch:
        """Return the scaled rows at some indices, with class codes or scaled continuous targets."""
        X = self._problem.rows.X[self.positions[picks]]
        return self._problem.scaled(X), self._targets[torch.as_tensor(picks, device=self._problem.device)]
