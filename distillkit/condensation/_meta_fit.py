"""The outer loop of bilevel distillation: rows move until networks trained on them do well on real rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from distillkit.condensation._warn import warn_not_finite
from distillkit.nn import seeded, unroll

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation._meta_validation import MetaValidation
    from distillkit.condensation._problem import Problem
    from distillkit.condensation._real_rows import RealRows
    from distillkit.condensation._state import SyntheticRows

__all__ = ["MetaFit", "MetaPlan", "MetaState"]


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
    network_lr : float
        First rate of the inner training.
    rate_lr : float or None
        Rate of Adam for its logarithm; None keeps it.
    max_iter : int
    record_every : int
    tol : float
    patience : int or None
    """

    make_network: Callable[[int], nn.Module]
    steps: int
    window: int
    random_end: bool
    real_batch: int
    network_lr: float
    rate_lr: float | None
    max_iter: int
    record_every: int
    tol: float
    patience: int | None


@dataclass(frozen=True)
class MetaState:
    """Rows and targets in the units of the network, and the inner rate that goes with them."""

    rows: torch.Tensor
    targets: torch.Tensor
    rate: float


class MetaFit:
    """One fit under way.

    Parameters
    ----------
    problem : Problem
    plan : MetaPlan
    rows : SyntheticRows
    real : RealRows
        What the meta-loss is measured on.
    validation : MetaValidation
    run : Run
    """

    _REACH = math.log(100.0)  # the inner rate stays within a factor of 100 of the first

    def __init__(
        self,
        problem: Problem,
        plan: MetaPlan,
        rows: SyntheticRows,
        real: RealRows,
        validation: MetaValidation,
        run: Run,
    ) -> None:
        self.problem, self.plan, self.rows, self.real, self.validation = problem, plan, rows, real, validation
        self.run = run
        self._draws = np.random.default_rng(run.seed())
        self._log_rate = torch.tensor(math.log(plan.network_lr), device=problem.device, requires_grad=True)
        self._rate_optimizer = torch.optim.Adam([self._log_rate], plan.rate_lr or 0.0)
        self._losses: list[float] = []
        self._lowest, self._improved = math.inf, 0
        self.best, self.best_iter = self._state(), 0

    def optimise(self) -> MetaState:
        """Run until steps, seconds or patience end; return the state of lowest validation loss.

        Warns
        -----
        DistillkitWarning
            If a loss or the rows are not finite: the best finite state is kept.
        """
        try:
            self._validate()  # the start is a result too
            while self.run.stopped_by is None:
                self.run.n_iter += 1
                self._update()
                if self.run.n_iter % self.plan.record_every == 0:
                    self._validate()
                self._stop()
            if self._losses:
                self._validate()
        except FloatingPointError as exc:
            self.run.stopped_by = "not_finite"
            remedy = "lower network_lr or lr, or give a smaller max_norm or window"
            warn_not_finite(exc, self.run.n_iter, "bilevel distillation", self.best_iter, remedy)
        return self.best

    def meta_loss(self, seed: int, steps: int) -> torch.Tensor:
        """Train a network on the rows and return its loss on real rows, differentiable in rows, targets and rate."""
        network = self.plan.make_network(seed)
        X, targets = self.real.draw(self.plan.real_batch, self._draws)
        with seeded(seed):  # for layers that are random themselves
            weights = unroll(
                network,
                self.rows.X,
                self._lesson(self.rows.targets),
                self.problem.loss,
                steps=steps,
                rate=self._log_rate.exp(),
                window=self.plan.window,
            )
            return self.problem.loss(functional_call(network, weights, (X,)), targets)

    @staticmethod
    def _lesson(targets: torch.Tensor) -> torch.Tensor:
        return targets.softmax(dim=1) if targets.ndim > 1 else targets

    def _update(self) -> None:
        plan = self.plan
        steps = int(self._draws.integers(plan.window, plan.steps + 1)) if plan.random_end else plan.steps
        loss = self.meta_loss(self.run.seed(), steps)
        number = float(loss.detach())
        *gradients, slope = torch.autograd.grad(loss, [*self.rows.leaves, self._log_rate])
        finite = all(bool(torch.isfinite(part).all()) for part in (slope, *gradients))
        if not (math.isfinite(number) and finite and self.rows.update(gradients)):
            raise FloatingPointError("the meta-loss, its gradients or the rows are not finite")
        self._losses.append(number)
        if plan.rate_lr is not None:
            self._log_rate.grad = slope
            self._rate_optimizer.step()
            with torch.no_grad():
                middle = math.log(plan.network_lr)
                self._log_rate.clamp_(middle - self._REACH, middle + self._REACH)

    def _state(self) -> MetaState:
        rows, targets = self.rows.snapshot()
        return MetaState(rows, targets, float(self._log_rate.detach().exp()))

    def _validate(self) -> None:
        """Measure the rows as they are, and keep them if none were better."""
        state = self._state()
        figures = self.validation.measure(state.rows, self._lesson(state.targets), state.rate)
        loss = figures["loss"]
        if not math.isfinite(loss):
            raise FloatingPointError("the validation loss is not finite")
        if self._losses:
            self.run.record(
                iteration=self.run.n_iter,
                loss=sum(self._losses) / len(self._losses),
                **{f"validation_{name}": value for name, value in figures.items()},
                network_lr=state.rate,
            )
            self._losses = []
        if loss < self._lowest * (1 - self.plan.tol):
            self._improved = self.run.n_iter
        if loss < self._lowest:
            self._lowest, self.best, self.best_iter = loss, state, self.run.n_iter

    def _stop(self) -> None:
        patience = self.plan.patience
        if self.run.n_iter >= self.plan.max_iter:
            self.run.stopped_by = "max_iter"
        elif patience is not None and self.run.n_iter - self._improved >= patience:
            self.run.stopped_by = "converged"
        else:
            self.run.out_of_time()
