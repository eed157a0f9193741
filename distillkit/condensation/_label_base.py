"""What the condensers share that learn labels with the rows, by Adam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import StrOptions

from distillkit.condensation._base import POSITIVE, IterativeCondenser
from distillkit.condensation.loop._synthetic_rows import SyntheticRows
from distillkit.condensation.problem._labels import first_parts, learns_labels

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["LabelCondenser"]


class LabelCondenser(IterativeCondenser):
    """Base: a method writes `_loop`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **IterativeCondenser._parameter_constraints,
        "lr": [POSITIVE],
        "learn_labels": [StrOptions({"auto"}), "boolean"],
        "label_lr": [POSITIVE],
    }

    def _start(self, problem: CondensationProblem, run: Run, *, blank: bool) -> SyntheticRows:
        learned = learns_labels(self.learn_labels, problem.rows.task)
        return SyntheticRows(
            first_parts(self.init, problem, run, learn_labels=learned, blank=blank),
            lr=self.lr,
            target_lr=self.label_lr if learned else None,
            limits=self._limits(problem),
            max_norm=getattr(self, "max_norm", None),
            average=self.average,
            extra=self._extra(problem),
            downscaling=self._downscaling(problem),
            optimizer="adam",
        )
