"""The two loops: rows are moved until networks that learn from them get the gradients that real rows give."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from distillkit.condensation._gradients import Match, batch_gradients, match_gradients, matched_weights
from distillkit.exceptions import DistillkitWarning
from distillkit.nn import Augmentation, Recipe, class_loss, make_generator, number_loss, train_network

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation._problem import Problem
    from distillkit.condensation._state import SyntheticRows, Watch

__all__ = ["Matching", "Plan"]


@dataclass(frozen=True)
class Plan:
    """What one fit does.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    vectorize : bool
        Whether the network's rows do not touch each other, so that classes can go through it in one pass.
    distance : {"layer-cosine", "cosine", "l2"}
    outer, inner : int
        Updates of the rows per network, and epochs of the network on the rows between two updates.
    real_batch : int
        Training rows of each group per update.
    network_lr : float
    precision : {"float32", "bfloat16", "auto"}
        Of the gradients of real rows and of the training of the network; what is differentiated twice is float32.
    augment : Augmentation or None
    max_iter : int
        Updates of the rows at most.
    """

    make_network: Callable[[int], nn.Module]
    vectorize: bool
    distance: str
    outer: int
    inner: int
    real_batch: int
    network_lr: float
    precision: str
    augment: Augmentation | None
    max_iter: int


class Matching:
    """One fit under way.

    Parameters
    ----------
    problem : Problem
    plan : Plan
    rows : SyntheticRows
    watch : Watch
    run : Run
    """

    def __init__(self, problem: Problem, plan: Plan, rows: SyntheticRows, watch: Watch, run: Run) -> None:
        self.problem, self.plan, self.rows, self.watch, self.run = problem, plan, rows, watch, run
        self._draws = np.random.default_rng(run.seed())
        self._generator = make_generator(run.seed())
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
                self._one_network()
        except FloatingPointError as exc:
            self.run.stopped_by = "not_finite"
            self._warn(str(exc))
        else:
            self._close_block()
        return self.best

    def _one_network(self) -> None:
        network = self.plan.make_network(self.run.seed())
        for turn in range(self.plan.outer):
            if turn > 0:
                self._train(network)
                if self._stops():
                    return
            match = self._match(network)
            self.run.n_iter += 1
            if not (np.isfinite(match.loss) and self.rows.update(match.gradients)):
                raise FloatingPointError("the matching loss or the rows are not finite")
            if self.watch.add(match):
                self._close_block()
            if self._stops():
                return

    def _match(self, network: nn.Module) -> Match:
        plan, problem = self.plan, self.problem
        weights = matched_weights(network, plan.distance)
        change = None
        if plan.augment is not None:
            augment, draw = plan.augment, plan.augment.draw(1, self._generator, shared=True)
            change = lambda rows: augment(rows, draw)  # noqa: E731 (a name for each would say no more)
        real = []
        for rows, targets in problem.draw(plan.real_batch, self._draws):
            batch = (rows if change is None else change(rows), targets)
            real.append(batch_gradients(network, weights, batch, problem.loss, precision=plan.precision))
        return match_gradients(
            network,
            weights,
            real,
            self.rows.batches(),
            problem.loss,
            plan.distance,
            self.rows.leaves,
            vectorize=plan.vectorize,
            change=change,
        )

    def _train(self, network: nn.Module) -> None:
        """Train the network on the synthetic rows, on which it then meets the next comparison."""
        plan = self.plan
        X, targets = self.rows.X.detach(), self.rows.targets.detach()
        recipe = Recipe(plan.inner, 256, "sgd", plan.network_lr, 0.0, 0.0, "constant", plan.precision)
        loss = class_loss(targets) if self.problem.rows.task == "classification" else number_loss(targets)
        train_network(
            network,
            X,
            loss,
            recipe,
            generator=self._generator,
            augment=plan.augment,
            should_stop=self.run.out_of_time,
        )

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

    def _warn(self, cause: str) -> None:
        warnings.warn(
            f"{cause.rstrip('.')}, at iteration {self.run.n_iter} of gradient matching: the rows of iteration {self.best_iter} are "
            "kept; lower lr, or give max_norm.",
            DistillkitWarning,
            stacklevel=6,
        )
