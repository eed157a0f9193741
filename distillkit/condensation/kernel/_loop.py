"""The loop of kernel matching: rows move until ridge regression on them predicts real rows, in the features of many networks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from distillkit.condensation.kernel._ridge import ridge_prediction
from distillkit.condensation.loop._loop import Controls, Loop
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
    from distillkit.base import Run
    from distillkit.condensation.kernel._network_pool import NetworkPool
    from distillkit.condensation.loop._checkpoint import State
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.problem._problem import Batch, CondensationProblem

__all__ = ["KernelLoop", "KernelPlan"]

_Embed = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class KernelPlan:
    """What one fit does.

    Parameters
    ----------
    ridge : float
        Times the mean of the kernel's diagonal.
    real_batch : int
        Real rows per visit of a network.
    updates : int
        Updates of the rows per visit.
    network_steps : int
        Steps of the network on the rows, at the end of a visit.
    linear_share : float
        Share of the visits in which no network but the rows themselves are the features.
    precision : {"float32", "bfloat16", "auto"}
        Of the features of real rows, through which nothing is differentiated.
    augment : Augmentation or None
        Of the synthetic images.
    """

    ridge: float
    real_batch: int
    updates: int
    network_steps: int
    linear_share: float
    precision: str
    augment: Augmentation | None


class KernelLoop(Loop):
    """One fit under way.

    Parameters
    ----------
    problem : Problem
    plan : KernelPlan
    pool : NetworkPool
    rows : SyntheticRows
    monitor : LossMonitor
    run : Run
    controls : Controls
    """

    name = "kernel matching"
    remedy = "lower lr, or raise ridge"
    memory_remedy = "lower pool_size, width or budget"

    def __init__(
        self,
        problem: CondensationProblem,
        plan: KernelPlan,
        pool: NetworkPool,
        rows: SyntheticRows,
        monitor: LossMonitor,
        run: Run,
        controls: Controls,
    ) -> None:
        self._real = RealRows(problem)
        super().__init__(problem, rows, monitor, run, controls, min(plan.real_batch, len(self._real)))
        self.plan, self.pool = plan, pool
        self._is_class = problem.rows.task == "classification"

    def _round(self) -> bool:
        """Let one network judge the rows a few times, then let it learn them."""
        drawn = self._real.draw(self.batch.size, self._draws)
        if self._draws.random() < self.plan.linear_share:
            return self._updates(_as_they_are, (_as_they_are(drawn[0]).double(), drawn[1]))
        member = self.pool.visit(self._draws)
        network = member.network
        real = self._within_memory(functools.partial(self._features, network, drawn))
        with Threads(allowed=takes_threads(network)) as threads:
            with evaluating(network):
                self._updates(lambda rows: map_rows(network.embed, network, rows, threads), real)  # type: ignore[arg-type]
            if self.run.stopped_by is not None:
                return False
            for _ in range(self.plan.network_steps):
                member.learn(self._changed(self.rows.X.detach()), self._network_loss(), threads)
        return True

    def _features(self, network: nn.Module, drawn: Batch) -> Batch:
        """Real rows as numbers of the kernel, once for all updates of a visit."""
        X, targets = self._fewer(drawn)
        return embed_rows(network, X, batch_size=256, precision=self.plan.precision).double(), targets

    def _fewer(self, batch: Batch) -> Batch:
        """Return as many rows of a batch as memory has left room for since it was drawn."""
        if len(batch[0]) <= self.batch.size:
            return batch
        picks = torch.from_numpy(self._draws.choice(len(batch[0]), self.batch.size, replace=False))
        return batch[0][picks], batch[1][picks]

    def _updates(self, embed: _Embed, real: Batch) -> bool:
        """Update the rows a few times, and return whether the run did not end before."""
        for turn in range(self.plan.updates):
            real = self._fewer(real)
            gradients, figures = self._within_memory(functools.partial(self._compare, embed, real))
            if self._update(gradients, **figures):
                return turn + 1 == self.plan.updates
        return True

    def _network_loss(self) -> RowLoss:
        wanted = probabilities(self.problem, self.rows.targets.detach())
        return soft_label_loss(wanted) if self._is_class else number_loss(wanted[:, 0])

    def _changed(self, rows: torch.Tensor) -> torch.Tensor:
        augment = self.plan.augment
        return rows if augment is None else augment(rows, augment.draw(len(rows), self._generator))

    def _compare(self, embed: _Embed, real: Batch) -> tuple[Sequence[torch.Tensor], dict[str, float]]:
        real = self._fewer(real)
        features = embed(self._changed(self.rows.X))
        centre = 1 / self.problem.n_outputs if self._is_class else 0.0
        known = probabilities(self.problem, self.rows.targets) - centre
        predicted = ridge_prediction(features, known, real[0], self.plan.ridge)
        wanted = probabilities(self.problem, real[1]).double() - centre
        loss = (predicted - wanted).square().sum(dim=1).mean()
        gradients = torch.autograd.grad(loss, self.rows.leaves)
        number = float(loss.detach())
        return gradients, {"loss": number, **self._score(predicted.detach(), wanted, number)}

    def _score(self, predicted: torch.Tensor, wanted: torch.Tensor, loss: float) -> dict[str, float]:
        if self._is_class:
            return {"accuracy": float((predicted.argmax(dim=1) == wanted.argmax(dim=1)).double().mean())}
        spread = float(wanted.var(correction=0))
        return {"r2": 1 - loss / spread if spread else 0.0}

    def state(self) -> State:
        """All that the next visit depends on, with the networks of the pool."""
        state = super().state()
        tensors, state.values["pool"] = self.pool.state()
        state.tensors |= {f"pool.{name}": part for name, part in tensors.items()}
        return state

    def restore(self, state: State) -> None:
        """Go on from what `state` returned."""
        super().restore(state)
        parts = {name.removeprefix("pool."): part for name, part in state.tensors.items() if name.startswith("pool.")}
        self.pool.restore(parts, state.values["pool"])


def _as_they_are(rows: torch.Tensor) -> torch.Tensor:
    """Features of a linear model: the numbers of a row and a constant."""
    flat = rows.flatten(1)
    return torch.cat([flat, torch.ones_like(flat[:, :1])], dim=1)
