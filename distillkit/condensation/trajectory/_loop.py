"""The loop of trajectory matching: a student sets out from where an expert was, and should end where the expert went."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

import torch

from distillkit.condensation.loop._loop import Controls, Loop
from distillkit.condensation.trajectory._experts import Experts
from distillkit.condensation.trajectory._unrolled import StudentTrajectory, best_rate, train_unrolled
from distillkit.nn import Augmentation

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.loop._checkpoint import State
    from distillkit.condensation.loop._loss_monitor import LossMonitor
    from distillkit.condensation.loop._synthetic_rows import Snapshot, SyntheticRows
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["TrajectoryMatching", "TrajectoryPlan"]

_FACTORS = tuple(2.0**power for power in range(-8, 5))  # of the experts' rate


@dataclass(frozen=True)
class TrajectoryPlan:
    """What one fit does.

    Parameters
    ----------
    steps : int
        Of the student.
    batch_size : int
        Synthetic rows per step.
    ahead : int
        Epochs between the start and the goal on the expert's way.
    max_start : int
        Last epoch to set out from.
    augment : Augmentation or None
    find_rate : bool
        Whether the first rate is chosen by where the first students end.
    """

    steps: int
    batch_size: int
    ahead: int
    max_start: int
    augment: Augmentation | None
    find_rate: bool


class TrajectoryMatching(Loop):
    """One fit under way.

    Parameters
    ----------
    problem : Problem
    plan : TrajectoryPlan
    experts : Experts
    rows : SyntheticRows
        With the logarithm of the student's rate as extra leaf.
    monitor : LossMonitor
    run : Run
    controls : Controls
    """

    name = "trajectory matching"
    remedy = "lower lr, rate_lr or student_lr"
    batch_name = "student_batch"
    memory_remedy = "lower width or budget"

    def __init__(
        self,
        problem: CondensationProblem,
        plan: TrajectoryPlan,
        experts: Experts,
        rows: SyntheticRows,
        monitor: LossMonitor,
        run: Run,
        controls: Controls,
    ) -> None:
        super().__init__(problem, rows, monitor, run, controls, min(plan.batch_size, len(rows.X)))
        self.plan, self.experts = plan, experts
        self._network = experts.plan.make_network(0)

    @property
    def student_lr(self) -> float:
        """The rate learned so far."""
        return float(self.rows.leaves[-1].detach().exp())

    def optimise(self) -> Snapshot:
        """Train or find the experts, then run as every loop does; temporary experts are removed."""
        try:
            return super().optimise()
        finally:
            self.experts.close()

    def _round(self) -> bool:
        if not self.experts.names:
            self.experts.prepare(self.run)
            if self.plan.find_rate:
                self._within_memory(self._find_rate)
        expert = int(self._draws.integers(len(self.experts.names)))
        start, goal = self._piece(expert, self._draws.random())
        path = self._within_memory(functools.partial(self._follow, start, goal))
        by_targets = [] if path.targets is None else [path.targets]
        gradients = [self.rows.pull_back(path.rows), *by_targets, path.log_rate]
        own = {"expert_lr": self.experts.rates[expert]} if self.experts.lowered else {}
        self._update(gradients, loss=path.loss, student_lr=self.student_lr, **own)
        return True

    def _follow(self, start: torch.Tensor, goal: torch.Tensor) -> StudentTrajectory:
        rows = self.rows
        taught = rows.X, rows.targets, rows.leaves[-1]
        return train_unrolled(self._network, self.problem.loss, start, goal, *taught, self._batches(), self._changes())

    def _piece(self, expert: int, share: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Start and goal on an expert's way; a share in [0, 1) of the epochs to set out from comes before."""
        epochs = self.experts.epochs(expert)
        ahead = min(self.plan.ahead, epochs)
        begin = int(share * (min(self.plan.max_start, epochs - ahead) + 1))
        return self.experts.weights(expert, begin), self.experts.weights(expert, begin + ahead)

    def _find_rate(self) -> None:
        pieces = [self._piece(0, share) for share in (0.0, 0.999)]
        rates = [self.experts.rates[0] * factor for factor in _FACTORS]
        rate = best_rate(
            self._network, self.problem.loss, pieces, self.rows.X, self.rows.targets, self._batches(), rates
        )
        with torch.no_grad():
            self.rows.leaves[-1].fill_(log(rate))

    def _batches(self) -> list[torch.Tensor]:
        """Rows of each step: every row once before any is seen again, as far as full batches go."""
        n_rows, size = len(self.rows.X), self.batch.size
        if n_rows <= size:
            return [torch.arange(n_rows)] * self.plan.steps
        batches: list[torch.Tensor] = []
        while len(batches) < self.plan.steps:
            order = torch.from_numpy(self._draws.permutation(n_rows))
            batches += [part for part in torch.split(order, size) if len(part) == size]
        return batches[: self.plan.steps]

    def _changes(self) -> list[Callable[[torch.Tensor], torch.Tensor]] | None:
        if self.plan.augment is None:
            return None
        return [self._change(self.plan.augment) for _ in range(self.plan.steps)]

    def _change(self, augment: Augmentation) -> Callable[[torch.Tensor], torch.Tensor]:
        draw = augment.draw(self.batch.size, self._generator)
        return lambda rows: augment(rows, draw)

    def notes(self) -> dict[str, Any]:
        """What the provenance should tell of the run, with the rates of experts that would have diverged."""
        return {**super().notes(), **({"expert_lr": self.experts.rates} if self.experts.lowered else {})}

    def state(self) -> State:
        """All that the next round depends on, with the names of the experts."""
        state = super().state()
        state.values["experts"] = self.experts.names
        return state

    def restore(self, state: State) -> None:
        """Go on from what `state` returned, with the same experts."""
        super().restore(state)
        self.experts.use(state.values["experts"])
