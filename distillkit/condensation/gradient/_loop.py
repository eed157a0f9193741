"""The outer loop of gradient matching, over networks, and the inner one, which trains them."""

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
from distillkit.condensation.loop._loop import LoopContext
from distillkit.condensation.loop._matching_loop import MatchingLoop
from distillkit.condensation.problem._group_rows import GroupRows
from distillkit.condensation.problem._real_rows import RealRows
from distillkit.nn import Augmentation, Recipe, Threads, takes_threads, train_network
from distillkit.nn.runtime._seeding import seeded_or_not

if TYPE_CHECKING:
    from distillkit.condensation.problem._problem import Batch

__all__ = ["DERIVATIVES", "TRAIN_ON", "GradientMatchingLoop", "GradientMatchingSettings"]

DERIVATIVES = {"exact": None, "differences": STEP}
"""Ways to differentiate the distance between gradients, with their steps in the weights, if any."""

TRAIN_ON = ("synthetic", "real")
"""Rows that networks may learn from between two visits."""

_REAL_ROWS = 64  # in a batch of the inner loop, with train_on="real"


@dataclass(frozen=True)
class GradientMatchingSettings:
    """Settings of the loop of gradient matching.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    vectorize : bool
        Whether the classes go through the network in one pass; its rows must not depend on each
        other.
    distance : {"layer-cosine", "cosine", "l1", "l2"}
    derivative : {"exact", "differences"}
        See `DERIVATIVES`.
    outer : int
        Visits of a network.
    inner : int
        Epochs of the network on the synthetic rows between two visits, or batches of training rows.
    train_on : {"synthetic", "real"}
        Rows that the network learns from between two visits.
    updates : int
        Updates of the rows per visit, by the gradients of the same training rows.
    real_batch : int
        Training rows of each group per visit.
    real_draw : {"random", "clusters"}
        See `GroupRows`.
    network_lr : float
        Learning rate of the network.
    precision : {"float32", "bfloat16", "auto"}
        Precision of the gradients of training rows and of the training of the network. The
        gradients of synthetic rows are float32.
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


class GradientMatchingLoop(MatchingLoop):
    """One fit of gradient matching in progress.

    Parameters
    ----------
    context : LoopContext
    settings : GradientMatchingSettings
    """

    name = "gradient matching"

    def __init__(self, context: LoopContext, settings: GradientMatchingSettings) -> None:
        super().__init__(context, min(settings.real_batch, context.problem.largest_group))
        self.settings = settings
        self._real = GroupRows(self.problem, how=settings.real_draw, size=self.batch.size, run=self.run, own=self.own)
        self._all = RealRows(self.problem) if settings.train_on == "real" else None

    def _round(self) -> bool:
        settings = self.settings
        # Outer loop: a fresh network is visited a few times, and trained between two visits.
        network = settings.make_network(self.run.seed())
        for visit in range(settings.outer):
            if visit > 0:
                self._train(network)
                if self._stops():
                    return False
            # Each visit updates the rows by the gradients of the same training rows.
            real: RealGradients | None = None
            for update in range(settings.updates):
                real, own = self._within_memory(functools.partial(self._match, network, real))
                gradients, figures = self.summed(own.gradients, {"loss": own.loss, "similarity": own.similarity})
                if self._update(gradients, **figures):
                    return (visit + 1, update + 1) == (settings.outer, settings.updates)
        return True

    def _match(self, network: nn.Module, real: RealGradients | None) -> tuple[RealGradients, GradientComparison]:
        """Compare gradients of own synthetic rows with `real`, which None computes first."""
        settings = self.settings
        weights = matched_weights(network, settings.distance)
        with Threads(allowed=takes_threads(network)) as threads:
            real = real or self.compute_real_gradients(network, weights, threads)
            return real, match_gradients(
                network,
                weights,
                real.gradients,
                self.rows.batches()[self.own],
                self.problem.loss,
                settings.distance,
                self.rows.leaves,
                step=DERIVATIVES[settings.derivative],
                vectorize=settings.vectorize,
                change=real.change,
                threads=threads,
                seeds=self.group_seeds(network, "synthetic"),
            )

    def compute_real_gradients(self, network: nn.Module, weights: Weights, threads: Threads) -> RealGradients:
        """Draw training rows and a random change of them, and return their gradients."""
        settings, problem = self.settings, self.problem
        change = shared_change(settings.augment, self._generator)

        def of_real(seed_and_batch: tuple[int | None, Batch]) -> Gradient:
            seed, (rows, targets) = seed_and_batch
            rows = rows if change is None else change(rows)
            with seeded_or_not(seed):
                return batch_gradients(network, weights, (rows, targets), problem.loss, precision=settings.precision)

        batches = self._real.draw(self.batch.size, self._draws)
        return RealGradients(threads.map(of_real, zip(self.group_seeds(network, "real"), batches, strict=True)), change)

    def _train(self, network: nn.Module) -> None:
        """Inner loop: train the network on the synthetic rows, or on batches of training rows."""
        settings = self.settings
        if self._all is None:
            X, targets = self.rows.X.detach(), self.rows.targets.detach()
            epochs, size = settings.inner, 256
        else:
            epochs, size = 1, _REAL_ROWS
            X, targets = self._all.draw(settings.inner * size, self._draws)
        recipe = Recipe(epochs, size, "sgd", settings.network_lr, 0.0, 0.0, "constant", settings.precision)
        train_network(
            network,
            X,
            self.problem.row_loss(targets),
            recipe,
            generator=self._generator,
            augment=settings.augment,
            should_stop=self._out_of_time,
        )


@dataclass(frozen=True)
class RealGradients:
    """The gradients of training rows, group by group, and the random change of these rows."""

    gradients: list[Gradient]
    change: Change | None
