"""The two loops: rows are moved until networks that learn from them get the gradients that real rows give."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from distillkit.condensation.gradient._differences import STEP
from distillkit.condensation.gradient._gradients import (
    Change,
    Gradient,
    GradientComparison,
    Weights,
    batch_gradients,
    match_gradients,
    matched_weights,
    shared_change,
)
from distillkit.condensation.loop._loop import Controls, Loop
from distillkit.condensation.problem._group_rows import GroupRows
from distillkit.condensation.problem._real_rows import RealRows
from distillkit.nn import Augmentation, Recipe, Threads, takes_threads, train_network

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.problem._problem import Batch, CondensationProblem

__all__ = ["DERIVATIVES", "TRAIN_ON", "GradientMatchingLoop", "GradientMatchingSettings"]

DERIVATIVES = {"exact": None, "differences": STEP}
"""Ways to differentiate the distance between gradients by the rows, and the step in the weights of each."""

TRAIN_ON = ("synthetic", "real")
"""Rows that networks may learn from between two visits."""

_REAL_ROWS = 64  # in a batch of them


@dataclass(frozen=True)
class GradientMatchingSettings:
    """What one fit does.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    vectorize : bool
        Whether the network's rows do not touch each other, so that classes can go through it in one pass.
    distance : {"layer-cosine", "cosine", "l1", "l2"}
    derivative : {"exact", "differences"}
        See `DERIVATIVES`.
    outer, inner : int
        Visits of a network, and epochs of the network on the rows between two visits, or batches of real rows.
    train_on : {"synthetic", "real"}
        What the network learns from between two visits.
    updates : int
        Of the rows per visit, by the gradients of the same real rows.
    real_batch : int
        Training rows of each group per visit.
    real_draw : {"random", "clusters"}
        See `GroupRows`.
    network_lr : float
    precision : {"float32", "bfloat16", "auto"}
        Of the gradients of real rows and of the training of the network; those of synthetic rows are float32.
    augment : Augmentation or None
    """

    make_network: Callable[[int], nn.Module]
    vectorize: bool
    distance: str
    derivative: str
    outer: int
    inner: int
    train_on: str
    updates: int
    real_batch: int
    real_draw: str
    network_lr: float
    precision: str
    augment: Augmentation | None


class GradientMatchingLoop(Loop):
    """One fit under way.

    Parameters
    ----------
    problem : Problem
    plan : Plan
    rows : SyntheticRows
    monitor : LossMonitor
    run : Run
    controls : Controls
    """

    name = "gradient matching"

    def __init__(
        self,
        problem: CondensationProblem,
        plan: GradientMatchingSettings,
        rows: SyntheticRows,
        monitor: LossMonitor,
        run: Run,
        controls: Controls,
    ) -> None:
        super().__init__(problem, rows, monitor, run, controls, min(plan.real_batch, problem.largest_group))
        self.plan = plan
        self._real = GroupRows(problem, how=plan.real_draw, size=self.batch.size, run=run)
        self._all = RealRows(problem) if plan.train_on == "real" else None

    def _round(self) -> bool:
        network = self.plan.make_network(self.run.seed())
        plan = self.plan
        for turn in range(plan.outer):
            if turn > 0:
                self._train(network)
                if self._stops():
                    return False
            wanted: RealGradients | None = None
            for repeat in range(plan.updates):
                wanted, match = self._within_memory(functools.partial(self._match, network, wanted))
                if self._update(match.gradients, loss=match.loss, similarity=match.similarity):
                    return (turn + 1, repeat + 1) == (plan.outer, plan.updates)
        return True

    def _match(self, network: nn.Module, wanted: RealGradients | None) -> tuple[RealGradients, GradientComparison]:
        """Compare with the gradients of real rows, new ones unless those wanted are given."""
        plan = self.plan
        weights = matched_weights(network, plan.distance)
        with Threads(allowed=takes_threads(network)) as threads:
            wanted = wanted or self.compute_real_gradients(network, weights, threads)
            return wanted, match_gradients(
                network,
                weights,
                wanted.gradients,
                self.rows.batches(),
                self.problem.loss,
                plan.distance,
                self.rows.leaves,
                step=DERIVATIVES[plan.derivative],
                vectorize=plan.vectorize,
                change=wanted.change,
                threads=threads,
            )

    def compute_real_gradients(self, network: nn.Module, weights: Weights, threads: Threads) -> RealGradients:
        """Draw real rows of each group, and a change for them and the synthetic ones."""
        plan, problem = self.plan, self.problem
        change = shared_change(plan.augment, self._generator)

        def of_real(batch: Batch) -> Gradient:
            rows, targets = batch
            rows = rows if change is None else change(rows)
            return batch_gradients(network, weights, (rows, targets), problem.loss, precision=plan.precision)

        return RealGradients(threads.map(of_real, self._real.draw(self.batch.size, self._draws)), change)

    def _train(self, network: nn.Module) -> None:
        """Train the network on the synthetic rows, on which it then meets the next comparison, or on real ones."""
        plan = self.plan
        if self._all is None:
            X, targets = self.rows.X.detach(), self.rows.targets.detach()
            epochs, size = plan.inner, 256
        else:
            epochs, size = 1, _REAL_ROWS
            X, targets = self._all.draw(plan.inner * size, self._draws)
        recipe = Recipe(epochs, size, "sgd", plan.network_lr, 0.0, 0.0, "constant", plan.precision)
        train_network(
            network,
            X,
            self.problem.row_loss(targets),
            recipe,
            generator=self._generator,
            augment=plan.augment,
            should_stop=self.run.out_of_time,
        )


@dataclass(frozen=True)
class RealGradients:
    """The gradients of real rows, group by group, and the change that these rows went through."""

    gradients: list[Gradient]
    change: Change | None
