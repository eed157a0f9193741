"""The loop of distribution matching: each network is drawn, looks at real rows once, and moves the synthetic ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from distillkit.condensation.distribution._comparisons import Comparison, Embedding
from distillkit.condensation.gradient._gradients import (
    Change,
    Gradient,
    batch_gradients,
    match_gradients,
    matched_weights,
    shared_change,
)
from distillkit.condensation.loop._loop import Controls, Loop
from distillkit.condensation.problem._group_rows import GroupRows
from distillkit.nn import Augmentation, Threads, takes_threads

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.problem._problem import Batch, CondensationProblem

__all__ = ["DistributionMatching", "DistributionPlan"]


@dataclass(frozen=True)
class DistributionPlan:
    """What one fit does.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    comparison : Comparison
    embedding : Embedding
    gradient_weight : float
        Of the gradient-matching loss in the sum; 0 leaves it out.
    outer : int
        Updates of the rows per network.
    real_batch : int
        Training rows of each group per network.
    real_draw : {"random", "clusters"}
        See `GroupRows`.
    augment : Augmentation or None
    vectorize : bool
        For the gradients; see `match_gradients`.
    """

    make_network: Callable[[int], nn.Module]
    comparison: Comparison
    embedding: Embedding
    gradient_weight: float
    outer: int
    real_batch: int
    real_draw: str
    augment: Augmentation | None
    vectorize: bool


class DistributionMatching(Loop):
    """One fit under way.

    Parameters
    ----------
    problem : Problem
    plan : DistributionPlan
    rows : SyntheticRows
    monitor : LossMonitor
    run : Run
    controls : Controls
    """

    name = "distribution matching"

    def __init__(
        self,
        problem: CondensationProblem,
        plan: DistributionPlan,
        rows: SyntheticRows,
        monitor: LossMonitor,
        run: Run,
        controls: Controls,
    ) -> None:
        super().__init__(problem, rows, monitor, run, controls, min(plan.real_batch, problem.largest_group))
        self.plan = plan
        self._real = GroupRows(problem, how=plan.real_draw, size=self.batch.size, keeps_scaled=True, run=run)
        self._threads = Threads(allowed=False)  # those of a round

    def _round(self) -> bool:
        plan = self.plan
        network = plan.make_network(self.run.seed()).requires_grad_(plan.gradient_weight > 0)
        seen: _Seen | None = None
        with Threads(allowed=takes_threads(network)) as self._threads:
            for turn in range(plan.outer):
                seen, gradients, figures = self._within_memory(functools.partial(self._turn, network, seen))
                if self._update(gradients, **figures):
                    return turn + 1 == plan.outer
        return True

    def _turn(self, network: nn.Module, seen: _Seen | None) -> tuple[_Seen, list[torch.Tensor], dict[str, float]]:
        """Look at real rows, where that is not done, and compare."""
        size = self.batch.size
        batches = self._real.draw(size, self._draws) if seen is None or seen.size != size else seen.batches
        change = shared_change(self.plan.augment, self._generator)
        # a change is drawn for real and synthetic rows together, so that it has to be seen on both
        if seen is None or seen.size != size or change is not None:
            seen = self._observe(network, batches, change)
        return seen, *self._compare(network, seen, change)

    def _observe(self, network: nn.Module, batches: list[Batch], change: Change | None) -> _Seen:
        plan, drawn = self.plan, batches
        if change is not None:
            batches = [(change(rows), targets) for rows, targets in batches]
        X, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
        found = plan.embedding.observe(network, X, targets, self._threads)
        observed = plan.comparison.observe(found, [len(rows) for rows, _ in batches])
        gradients = []
        if plan.gradient_weight:
            weights = matched_weights(network, "layer-cosine")
            precision = plan.embedding.precision
            gradients = self._threads.map(
                lambda batch: batch_gradients(network, weights, batch, self.problem.loss, precision=precision), batches
            )
        return _Seen(observed, gradients, self.batch.size, drawn if change is not None else [])

    def _compare(
        self, network: nn.Module, seen: _Seen, change: Change | None
    ) -> tuple[list[torch.Tensor], dict[str, float]]:
        plan, rows = self.plan, self.rows
        X = rows.X if change is None else change(rows.X)
        found = plan.embedding(network, X, rows.targets, self._threads)
        loss = plan.comparison.loss(seen.observed, found, rows.sizes)
        gradients = list(torch.autograd.grad(loss, rows.leaves))
        figures = {"loss": float(loss.detach())}
        if plan.gradient_weight:
            match = match_gradients(
                network,
                matched_weights(network, "layer-cosine"),
                seen.gradients,
                rows.batches(),
                self.problem.loss,
                "layer-cosine",
                rows.leaves,
                vectorize=plan.vectorize,
                change=change,
                threads=self._threads,
            )
            gradients = [a + plan.gradient_weight * b for a, b in zip(gradients, match.gradients, strict=True)]
            figures["loss"] += plan.gradient_weight * match.loss
            figures |= {"gradient_loss": match.loss, "similarity": match.similarity}
        return gradients, figures


@dataclass(frozen=True)
class _Seen:
    """What a network saw of the real rows: for the comparison, and the gradients of each group.

    With the rows per group that were asked for, and the rows themselves, where they are to be looked at again.
    """

    observed: Any
    gradients: list[Gradient]
    size: int
    batches: list[Batch]
