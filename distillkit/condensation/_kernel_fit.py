"""The loop of kernel matching: rows move until ridge regression on them predicts real rows, in the features of many networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from distillkit.condensation._kernel_ridge import ridge_prediction
from distillkit.condensation._labels import probabilities
from distillkit.condensation._real_rows import RealRows
from distillkit.condensation._warn import warn_not_finite
from distillkit.nn import Augmentation, embed_rows, evaluating, make_generator

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation._network_pool import NetworkPool
    from distillkit.condensation._problem import Batch, Problem
    from distillkit.condensation._state import SyntheticRows, Watch

__all__ = ["KernelFit", "KernelPlan"]

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
    max_iter : int
    """

    ridge: float
    real_batch: int
    updates: int
    network_steps: int
    linear_share: float
    precision: str
    augment: Augmentation | None
    max_iter: int


class KernelFit:
    """One fit under way.

    Parameters
    ----------
    problem : Problem
    plan : KernelPlan
    pool : NetworkPool
    rows : SyntheticRows
    watch : Watch
    run : Run
    """

    def __init__(
        self, problem: Problem, plan: KernelPlan, pool: NetworkPool, rows: SyntheticRows, watch: Watch, run: Run
    ) -> None:
        self.problem, self.plan, self.pool, self.rows, self.watch, self.run = problem, plan, pool, rows, watch, run
        self._draws = np.random.default_rng(run.seed())
        self._generator = make_generator(run.seed())
        self._real = RealRows(problem)
        self._is_class = problem.rows.task == "classification"
        self.best, self.best_iter = rows.snapshot(), 0

    def optimise(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Run until steps, seconds or patience end; return the best rows and targets, in the units of the network.

        Warns
        -----
        DistillkitWarning
            If a loss or the rows are not finite: the best finite state is kept.
        """
        try:
            while self.run.stopped_by is None:
                self._visit()
        except FloatingPointError as exc:
            self.run.stopped_by = "not_finite"
            warn_not_finite(exc, self.run.n_iter, "kernel matching", self.best_iter, "lower lr, or raise ridge")
        else:
            self._close_block()
        return self.best

    def _visit(self) -> None:
        """Let one network judge the rows a few times, then let it learn them."""
        X, targets = self._real.draw(self.plan.real_batch, self._draws)
        if self._draws.random() < self.plan.linear_share:
            self._updates(_as_they_are, (_as_they_are(X).double(), targets))
            return
        member = self.pool.visit(self._draws)
        network = member.network
        # as numbers of the kernel, once for all updates of the visit
        real = embed_rows(network, X, batch_size=256, precision=self.plan.precision).double(), targets
        with evaluating(network):
            self._updates(network.embed, real)  # type: ignore[arg-type]
        if self.run.stopped_by is None:
            for _ in range(self.plan.network_steps):
                wanted = probabilities(self.problem, self.rows.targets.detach())
                member.learn(self._changed(self.rows.X.detach()), wanted, self._network_loss)

    def _updates(self, embed: _Embed, real: Batch) -> None:
        for _ in range(self.plan.updates):
            self.run.n_iter += 1
            self._update(embed, real)
            if self._stops():
                return

    def _network_loss(self, outputs: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(outputs, wanted) if self._is_class else F.mse_loss(outputs, wanted)

    def _changed(self, rows: torch.Tensor) -> torch.Tensor:
        augment = self.plan.augment
        return rows if augment is None else augment(rows, augment.draw(len(rows), self._generator))

    def _update(self, embed: _Embed, real: Batch) -> None:
        features = embed(self._changed(self.rows.X))
        centre = 1 / self.problem.n_outputs if self._is_class else 0.0
        known = probabilities(self.problem, self.rows.targets) - centre
        predicted = ridge_prediction(features, known, real[0], self.plan.ridge)
        wanted = probabilities(self.problem, real[1]).double() - centre
        loss = (predicted - wanted).square().sum(dim=1).mean()
        gradients = torch.autograd.grad(loss, self.rows.leaves)
        number = float(loss.detach())
        if not (np.isfinite(number) and self.rows.update(gradients)):
            raise FloatingPointError("the loss or the rows are not finite")
        if self.watch.add({"loss": number, **self._score(predicted.detach(), wanted, number)}):
            self._close_block()

    def _score(self, predicted: torch.Tensor, wanted: torch.Tensor, loss: float) -> dict[str, float]:
        if self._is_class:
            return {"accuracy": float((predicted.argmax(dim=1) == wanted.argmax(dim=1)).double().mean())}
        spread = float(wanted.var(correction=0))
        return {"r2": 1 - loss / spread if spread else 0.0}

    def _close_block(self) -> None:
        means = self.watch.close()
        if means is None:
            return
        self.run.record(iteration=self.run.n_iter, **means)
        if self.watch.as_good:
            self.best, self.best_iter = self.rows.snapshot(), self.run.n_iter

    def _stops(self) -> bool:
        if self.run.n_iter >= self.plan.max_iter:
            self.run.stopped_by = "max_iter"
        elif self.watch.converged:
            self.run.stopped_by = "converged"
        else:
            self.run.out_of_time()
        return self.run.stopped_by is not None


def _as_they_are(rows: torch.Tensor) -> torch.Tensor:
    """Features of a linear model: the numbers of a row and a constant."""
    flat = rows.flatten(1)
    return torch.cat([flat, torch.ones_like(flat[:, :1])], dim=1)
