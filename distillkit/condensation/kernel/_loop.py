"""The loop of kernel matching, which optimizes rows through the closed form of ridge regression."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from distillkit.condensation.kernel._network_pool import NetworkPool
from distillkit.condensation.kernel._ridge import ridge_prediction
from distillkit.condensation.loop._loop import Loop, LoopContext
from distillkit.condensation.problem._labels import probabilities
from distillkit.condensation.problem._real_rows import RealRows
from distillkit.nn import (
    Augmentation,
    RowLoss,
    Threads,
    embed_rows,
    evaluating,
    map_rows,
    number_loss,
    soft_label_loss,
    takes_threads,
)

if TYPE_CHECKING:
    from distillkit.condensation.loop._checkpoint import State
    from distillkit.condensation.problem._problem import Batch

__all__ = ["KernelLoop", "KernelSettings"]

_Embed = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class KernelSettings:
    """Settings of the loop of kernel matching.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network with a method ``embed``.
    pool_size, max_age : int
        Networks in the pool, and visits after which one is replaced; see `NetworkPool`.
    network_lr : float
        Learning rate of Adam for the networks.
    network_steps : int
        Steps of a network on the synthetic rows, at the end of a visit.
    ridge : float
        Penalty, as a multiple of the mean of the kernel's diagonal.
    real_batch : int
        Training rows per visit of a network.
    updates : int
        Updates of the rows per visit.
    linear_share : float
        Share of the visits that take the rows themselves as features, and no network.
    precision : {"float32", "bfloat16", "auto"}
        Precision of the features of training rows, through which nothing is differentiated.
    augment : Augmentation or None
        Random changes of the synthetic images.
    """

    make_network: Callable[[int], nn.Module]
    pool_size: int
    max_age: int
    network_lr: float
    network_steps: int
    ridge: float
    real_batch: int
    updates: int
    linear_share: float
    precision: str
    augment: Augmentation | None


class KernelLoop(Loop):
    """One fit of kernel matching in progress.

    Parameters
    ----------
    context : LoopContext
    settings : KernelSettings
    """

    name = "kernel matching"
    remedy = "lower lr, or raise ridge"
    memory_remedy = "lower pool_size, width or budget"

    def __init__(self, context: LoopContext, settings: KernelSettings) -> None:
        self.settings = settings
        self._real = RealRows(context.problem)
        self.pool = NetworkPool(
            settings.make_network,
            context.run.seed,
            size=settings.pool_size,
            max_age=settings.max_age,
            lr=settings.network_lr,
        )
        super().__init__(context, min(settings.real_batch, len(self._real)))
        self._is_class = self.problem.rows.task == "classification"

    def _round(self) -> bool:
        # 1. Draw training rows, and the features to compare in: those of a network, or the rows.
        drawn = self._real.draw(self.batch.size, self._draws)
        if self._draws.random() < self.settings.linear_share:
            return self._updates(_linear_features, (_linear_features(drawn[0]).double(), drawn[1]))
        member = self.pool.visit(self._draws)
        network = member.network
        real = self._within_memory(functools.partial(self._features, network, drawn))
        with Threads(allowed=takes_threads(network)) as threads:
            # 2. Update the rows a few times in these features.
            with evaluating(network):
                embed = functools.partial(_embed, network, threads)
                self._updates(embed, real)
            if self.run.stopped_by is not None:
                return False
            # 3. Train the network on the rows as they are now.
            for _ in range(self.settings.network_steps):
                member.learn(self._changed(self.rows.X.detach()), self._network_loss(), threads)
        return True

    def _features(self, network: nn.Module, drawn: Batch) -> Batch:
        """Compute the features of training rows, once for all updates of a visit."""
        X, targets = self._fewer(drawn)
        return embed_rows(network, X, batch_size=256, precision=self.settings.precision).double(), targets

    def _fewer(self, batch: Batch) -> Batch:
        """Return a batch, or a random part of it if memory has shrunk batches meanwhile."""
        if len(batch[0]) <= self.batch.size:
            return batch
        picks = torch.from_numpy(self._draws.choice(len(batch[0]), self.batch.size, replace=False))
        return batch[0][picks], batch[1][picks]

    def _updates(self, embed: _Embed, real: Batch) -> bool:
        """Update the rows a few times, and return whether all updates were done."""
        for update in range(self.settings.updates):
            real = self._fewer(real)
            gradients, figures = self._within_memory(functools.partial(self._compare, embed, real))
            if self._update(gradients, **figures):
                return update + 1 == self.settings.updates
        return True

    def _network_loss(self) -> RowLoss:
        targets = probabilities(self.problem, self.rows.targets.detach())
        return soft_label_loss(targets) if self._is_class else number_loss(targets[:, 0])

    def _changed(self, rows: torch.Tensor) -> torch.Tensor:
        augment = self.settings.augment
        return rows if augment is None else augment(rows, augment.draw(len(rows), self._generator))

    def _compare(self, embed: _Embed, real: Batch) -> tuple[Sequence[torch.Tensor], dict[str, float]]:
        """Fit ridge regression on the synthetic rows, and differentiate its error on real ones."""
        real = self._fewer(real)
        features = embed(self._changed(self.rows.X))
        # Probabilities are centered, so that no intercept is needed.
        center = 1 / self.problem.n_outputs if self._is_class else 0.0
        synthetic_targets = probabilities(self.problem, self.rows.targets) - center
        predicted = ridge_prediction(features, synthetic_targets, real[0], self.settings.ridge)
        real_targets = probabilities(self.problem, real[1]).double() - center
        loss = (predicted - real_targets).square().sum(dim=1).mean()
        gradients = torch.autograd.grad(loss, self.rows.leaves)
        value = float(loss.detach())
        return gradients, {"loss": value, **self._score(predicted.detach(), real_targets, value)}

    def _score(self, predicted: torch.Tensor, targets: torch.Tensor, loss: float) -> dict[str, float]:
        if self._is_class:
            return {"accuracy": float((predicted.argmax(dim=1) == targets.argmax(dim=1)).double().mean())}
        variance = float(targets.var(correction=0))
        return {"r2": 1 - loss / variance if variance else 0.0}

    def state(self) -> State:
        """Return everything that the next visit depends on, with the networks of the pool."""
        state = super().state()
        tensors, state.values["pool"] = self.pool.state()
        state.tensors |= {f"pool.{name}": part for name, part in tensors.items()}
        return state

    def restore(self, state: State) -> None:
        """Continue from what `state` returned."""
        super().restore(state)
        parts = {name.removeprefix("pool."): part for name, part in state.tensors.items() if name.startswith("pool.")}
        self.pool.restore(parts, state.values["pool"])


def _embed(network: nn.Module, threads: Threads, rows: torch.Tensor) -> torch.Tensor:
    """Return the features before the last layer of a network, differentiable in the rows."""
    return map_rows(network.embed, network, rows, threads)  # type: ignore[arg-type]


def _linear_features(rows: torch.Tensor) -> torch.Tensor:
    """Return the features of a linear model: the numbers of a row and a constant."""
    flat = rows.flatten(1)
    return torch.cat([flat, torch.ones_like(flat[:, :1])], dim=1)
