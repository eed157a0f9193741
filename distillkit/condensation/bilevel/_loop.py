"""The outer loop of bilevel distillation: rows move until networks trained on them do well on real rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.func import functional_call

from distillkit.condensation.bilevel._validation import training_targets
from distillkit.condensation.loop._loop import Controls, Loop
from distillkit.condensation.problem._real_rows import RealRows
from distillkit.nn import seeded, unroll

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["BilevelLoop", "MetaPlan"]


@dataclass(frozen=True)
class MetaPlan:
    """What one fit does.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    steps : int
        Of the inner training.
    window : int
        Last steps that are differentiated through.
    random_end : bool
        Whether the inner training ends after a random number of steps, from `window` to `steps`.
    real_batch : int
    """

    make_network: Callable[[int], nn.Module]
    steps: int
    window: int
    random_end: bool
    real_batch: int


class BilevelLoop(Loop):
    """One fit under way.

    Parameters
    ----------
    problem : Problem
    plan : MetaPlan
    rows : SyntheticRows
        With the logarithm of the inner rate as extra leaf.
    monitor : LossMonitor
    run : Run
    controls : Controls
    """

    name = "bilevel distillation"
    remedy = "lower network_lr or lr, or give a smaller max_norm or window"
    memory_remedy = "lower window, width or budget"

    def __init__(
        self,
        problem: CondensationProblem,
        plan: MetaPlan,
        rows: SyntheticRows,
        monitor: LossMonitor,
        run: Run,
        controls: Controls,
    ) -> None:
        self.plan = plan
        self.real = RealRows(problem)
        super().__init__(problem, rows, monitor, run, controls, min(plan.real_batch, len(self.real)))

    def meta_loss(self, seed: int, steps: int) -> torch.Tensor:
        """Train a network on the rows and return its loss on real rows, differentiable in rows, targets and rate."""
        network = self.plan.make_network(seed)
        X, targets = self.real.draw(self.batch.size, self._draws)
        with seeded(seed):  # for layers that are random themselves
            weights = unroll(
                network,
                self.rows.X,
                training_targets(self.rows.targets),
                self.problem.loss,
                steps=steps,
                rate=self.rows.leaves[-1].exp(),
                window=self.plan.window,
            )
            return self.problem.loss(functional_call(network, weights, (X,)), targets)

    def _round(self) -> bool:
        loss, gradients = self._within_memory(self._slope)
        self._update(gradients, loss=loss, network_lr=float(self.rows.leaves[-1].detach().exp()))
        return True

    def _slope(self) -> tuple[float, Sequence[torch.Tensor]]:
        plan = self.plan
        steps = int(self._draws.integers(plan.window, plan.steps + 1)) if plan.random_end else plan.steps
        loss = self.meta_loss(self.run.seed(), steps)
        return float(loss.detach()), torch.autograd.grad(loss, self.rows.leaves)
