"""Batches of training rows that are drawn from all groups together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from distillkit.condensation.problem._problem import Batch

if TYPE_CHECKING:
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["RealRows"]


class RealRows:
    """Draws batches from all groups of a problem, with equal probability for each row.

    Parameters
    ----------
    problem : CondensationProblem
    """

    def __init__(self, problem: CondensationProblem) -> None:
        groups = problem.rows.groups
        self._problem = problem
        self.positions = np.concatenate([group.rows for group in groups])
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
        """Draw `size` rows without replacement, or all rows if there are fewer."""
        if len(self) <= size:
            return self.take(np.arange(len(self)))
        return self.take(rng.choice(len(self), size, replace=False, shuffle=False))

    def take(self, picks: np.ndarray) -> Batch:
        """Return the scaled rows at some indices, with class codes or scaled continuous targets."""
        X = self._problem.rows.X[self.positions[picks]]
        return self._problem.scaled(X), self._targets[torch.as_tensor(picks, device=self._problem.device)]
