"""Batches of training rows, whatever their class, and validation rows set apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from distillkit.base import TrainingRows
from distillkit.condensation._problem import Batch

if TYPE_CHECKING:
    from distillkit.condensation._problem import Problem

__all__ = ["RealRows", "split_rows"]


class RealRows:
    """The rows of a problem's groups, drawn in the proportions of the groups.

    Parameters
    ----------
    problem : Problem
    positions : ndarray of shape (n,) or None
        Rows to draw from; None takes those of all groups.
    """

    def __init__(self, problem: Problem, positions: np.ndarray | None = None) -> None:
        groups = problem.rows.groups
        self._problem = problem
        self.positions = np.concatenate([group.rows for group in groups]) if positions is None else positions
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


def split_rows(rows: TrainingRows, share: float, rng: np.random.RandomState) -> tuple[TrainingRows, np.ndarray]:
    """Set validation rows apart, a share of each group.

    Parameters
    ----------
    rows : TrainingRows
    share : float
        Of each group, rounded; a group always keeps as many rows as are to be distilled from it, one at least.
    rng : RandomState

    Returns
    -------
    rest : TrainingRows
        The same arrays with groups that lack the validation rows.
    validation : ndarray of shape (n,)
        Positions in X; all rows where the groups are too small to give any, so that there is always something to measure.
    """
    groups, apart = [], []
    for group in rows.groups:
        n_apart = min(int(share * len(group.rows) + 0.5), len(group.rows) - max(1, group.size))
        order = rng.permutation(group.rows)
        apart.append(order[:n_apart])
        groups.append(replace(group, rows=np.sort(order[n_apart:])))
    validation = np.sort(np.concatenate(apart))
    if len(validation) == 0:
        validation = np.sort(np.concatenate([group.rows for group in rows.groups]))
    return TrainingRows(rows.X, rows.y, rows.task, tuple(groups)), validation
