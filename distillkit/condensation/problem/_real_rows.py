"""Batches of training rows, whatever their class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from distillkit.condensation.problem._problem import Batch

if TYPE_CHECKING:
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["RealRows"]


class RealRows:
    """The rows of a problem's groups, drawn in the proportions of the groups.

    Parameters
    ----------
    problem : Problem
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
        """Draw `size` rows without replacement, or all where there are fewer."""
        if len(self) <= size:
            return self.take(np.arange(len(self)))
        return self.take(rng.choice(len(self), size, replace=False, shuffle=False))

    def take(self, picks: np.ndarray) -> Batch:
        """Return the rows at some places, scaled, with class numbers or scaled numbers."""
        X = self._problem.rows.X[self.positions[picks]]
        return self._problem.scaled(X), self._targets[torch.as_tensor(picks, device=self._problem.device)]
