"""The loop of trajectory matching, in which students follow the weights of experts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

import torch

from distillkit.condensation.loop._loop import Loop, LoopContext
from distillkit.condensation.trajectory._experts import ExpertPlan, Experts
from distillkit.condensation.trajectory._unrolled import StudentTrajectory, best_rate, train_unrolled
from distillkit.nn import Augmentation

if TYPE_CHECKING:
    from distillkit.condensation.loop._checkpoint import State
    from distillkit.condensation.loop._synthetic_rows import Snapshot

__all__ = ["TrajectoryMatchingLoop", "TrajectoryMatchingSettings"]

_FACTORS = tuple(2.0**power for power in range(-8, 5))  # of the experts' rate, which first rates are tried at


@dataclass(frozen=True)
class TrajectoryMatchingSettings:
    """Settings of the loop of trajectory matching.

    Parameters
    ----------
    experts : ExpertPlan
        How experts are trained.
    experts_dir : path-like or None
        Folder of the experts; None is a temporary one.
    experts_key : dict of str to plain values
        Data and settings that tell these experts from others in the folder.
    steps : int
        Steps of the student.
    batch_size : int
        Synthetic rows per step.
    ahead : int
        Epochs of the expert between the start of a student and its goal.
    max_start : int
        Last epoch that a student may start from.
    augment : Augmentation or None
    find_rate : bool
        Whether the first learning rate is that at which the first students come nearest to the
        goal.
    """

    experts: ExpertPlan
    experts_dir: Any
    experts_key: dict[str, Any]
    steps: int
    batch_size: int
    ahead: int
    max_start: int
    augment: Augmentation | None
    find_rate: bool


class TrajectoryMatchingLoop(Loop):
    """One fit of trajectory matching in progress.

    Parameters
    ----------
    context : LoopContext
        Its rows have the logarithm of the student's learning rate as extra leaf.
    settings : TrajectoryMatchingSettings
    """

    name = "trajectory matching"
    remedy = "lower lr, rate_lr or student_lr"
    batch_name = "student_batch"
    memory_remedy = "lower width or budget"

    def __init__(self, context: LoopContext, settings: TrajectoryMatchingSettings) -> None:
        super().__init__(context, min(settings.batch_size, len(context.rows.X)))
        self.settings = settings
        self.experts = Experts(self.problem, settings.experts, settings.experts_dir, settings.experts_key)
        self._network = settings.experts.make_network(0)

    @property
    def student_lr(self) -> float:
        """Learning rate of the student, as learned so far."""
        return float(self.rows.leaves[-1].detach().exp())

    def optimize(self) -> Snapshot:
        """Run as every loop does, and remove temporary experts at the end."""
        try:
            return super().optimize()
        finally:
            self.experts.close()

    def _round(self) -> bool:
        # 1. In the first round, train the experts, or read those on disk.
        if not self.experts.names:
            self.experts.prepare(self.run)
            if self.settings.find_rate:
                self._within_memory(self._find_rate)
        # 2. Draw a segment of an expert's trajectory, and let a student follow it.
        expert = int(self._draws.integers(len(self.experts.names)))
        start, goal = self._segment(expert, self._draws.random())
        student = self._within_memory(functools.partial(self._follow, start, goal))
        # 3. Update rows, targets and learning rate by the student's distance from the goal.
        by_targets = [] if student.targets is None else [student.targets]
        gradients = [self.rows.pull_back(student.rows), *by_targets, student.log_rate]
        figures = {"expert_lr": self.experts.rates[expert]} if self.experts.lowered else {}
        self._update(gradients, loss=student.loss, student_lr=self.student_lr, **figures)
        return True

    def _follow(self, start: torch.Tensor, goal: torch.Tensor) -> StudentTrajectory:
        rows = self.rows
        lesson = rows.X, rows.targets, rows.leaves[-1]
        return train_unrolled(self._network, self.problem.loss, start, goal, *lesson, self._batches(), self._changes())

    def _segment(self, expert: int, share: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Return start and goal of a student; `share` in [0, 1) says at which epoch it starts."""
        epochs = self.experts.epochs(expert)
        ahead = min(self.settings.ahead, epochs)
        begin = int(share * (min(self.settings.max_start, epochs - ahead) + 1))
        return self.experts.weights(expert, begin), self.experts.weights(expert, begin + ahead)

    def _find_rate(self) -> None:
        """Set the learning rate at which students come nearest to the goals of two segments."""
        segments = [self._segment(0, share) for share in (0.0, 0.999)]
        rates = [self.experts.rates[0] * factor for factor in _FACTORS]
        rate = best_rate(
            self._network, self.problem.loss, segments, self.rows.X, self.rows.targets, self._batches(), rates
        )
        with torch.no_grad():
            self.rows.leaves[-1].fill_(log(rate))

    def _batches(self) -> list[torch.Tensor]:
        """Return the rows of each step, in full batches that use all rows in turns."""
        n_rows, size = len(self.rows.X), self.batch.size
        if n_rows <= size:
            return [torch.arange(n_rows)] * self.settings.steps
        batches: list[torch.Tensor] = []
        while len(batches) < self.settings.steps:
            order = torch.from_numpy(self._draws.permutation(n_rows))
            batches += [part for part in torch.split(order, size) if len(part) == size]
        return batches[: self.settings.steps]

    def _changes(self) -> list[Callable[[torch.Tensor], torch.Tensor]] | None:
        if self.settings.augment is None:
            return None
        return [self._change(self.settings.augment) for _ in range(self.settings.steps)]

    def _change(self, augment: Augmentation) -> Callable[[torch.Tensor], torch.Tensor]:
        draw = augment.draw(self.batch.size, self._generator)
        return lambda rows: augment(rows, draw)

    def notes(self) -> dict[str, Any]:
        """Return notes for the provenance, with the rates of the experts where one was lowered."""
        return {**super().notes(), **({"expert_lr": self.experts.rates} if self.experts.lowered else {})}

    def fitted_attributes(self) -> dict[str, Any]:
        """Return the learned rate, the lowest rate of an expert, and how many were trained."""
        return {
            "student_lr_": self.student_lr,
            "expert_lr_": min(self.experts.rates, default=self.experts.lr),
            "n_experts_trained_": self.experts.trained,
        }

    def state(self) -> State:
        """Return everything that the next round depends on, with the names of the experts."""
        state = super().state()
        state.values["experts"] = self.experts.names
        return state

    def restore(self, state: State) -> None:
        """Continue from what `state` returned, with the same experts."""
        super().restore(state)
        self.experts.use(state.values["experts"])
