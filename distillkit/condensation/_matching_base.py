"""What the condensers share that match real rows by plain gradient descent on the synthetic ones."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import StrOptions

from distillkit.condensation._base import POSITIVE, SHARE, IterativeCondenser
from distillkit.condensation.loop._synthetic_rows import SyntheticRows
from distillkit.condensation.problem._labels import first_parts
from distillkit.nn import can_compile, network_name

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["MatchingCondenser"]

# Rows of a class times channels up to which one pass through torch's layers is as fast as the compiled loops class by class. On two cores
# these take 1.5 times as long at 64 (one row, width 64), as long at 256 and 480, .75 of the time at 640 and .7 at 1,280.
_IN_TORCH = 480


class MatchingCondenser(IterativeCondenser):
    """Base: a method writes `_loop` and `_default_rate`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **IterativeCondenser._parameter_constraints,
        "pad": ["boolean"],
        "momentum": [SHARE],
        "schedule": [StrOptions({"constant", "linear"})],
        "target_lr": [POSITIVE, None],
        "max_norm": [POSITIVE, None],
        "augment": [StrOptions({"auto"}), "array-like", None],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
    }
    _normalized_steps: ClassVar[bool] = False  # whether lr is in standard deviations per update, whatever the loss

    @abstractmethod
    def _default_rate(self, problem: CondensationProblem) -> float:
        """Return the step size of the rows where `lr` is None."""

    def _target_rate(self) -> float | None:
        """Return the step size of continuous targets; None keeps them."""
        return None if self.target_lr is None else float(self.target_lr)

    def _schedule_of_rates(self) -> str:
        return str(self.schedule)

    def _network_options(self, problem: CondensationProblem) -> dict[str, Any]:
        width = self.width or (64 if len(problem.shape) == 3 else None)
        return {"width": width, "hidden": self.hidden, "pad": self.pad}

    def _goes_together(self, problem: CondensationProblem) -> bool:
        """Whether classes may go through the network in one pass: it has no batch norm, and one by one is not faster."""
        name = network_name(self.network, problem.shape) if isinstance(self.network, str) else None
        if name == "convnet" and problem.device.type == "cpu" and can_compile():
            rows = problem.rows
            return int(self._network_options(problem)["width"]) * rows.size / len(rows.groups) <= _IN_TORCH
        return name not in {None, "resnet18"}

    def _start(self, problem: CondensationProblem, run: Run, *, blank: bool) -> SyntheticRows:
        return SyntheticRows(
            first_parts(self.init, problem, run, blank=blank),
            lr=self.lr or self._default_rate(problem),
            momentum=self.momentum,
            target_lr=self._target_rate() if problem.rows.task == "regression" else None,
            limits=self._limits(problem),
            max_norm=self.max_norm,
            average=self.average,
            normalize=self._normalized_steps,
            extra=self._extra(problem),
            downscaling=self._downscaling(problem),
        )
