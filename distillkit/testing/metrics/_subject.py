"""The metric under check: calls it, and checks each value that it returns."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.testing._problem import expect
from distillkit.testing.metrics._problem import MetricProblem, make_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from distillkit.specs import MetricSpec

__all__ = ["Subject", "close"]

_MODALITIES = {"images": "image", "series": "series"}


@dataclass(frozen=True)
class Subject:
    """A metric with what its registration says about it.

    Parameters
    ----------
    spec : MetricSpec
    function : callable
        The loaded target, perhaps with options set.
    state : dict
        The held-out rows of the last problem, and values that several checks use.
    """

    spec: MetricSpec
    function: Callable[..., Any] = field(repr=False)
    state: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def task(self) -> str:
        """The task of the problems: classification if the metric supports it."""
        return "classification" if "classification" in self.spec.tasks else "regression"

    @property
    def up(self) -> bool | None:
        """Whether greater is better."""
        return self.spec.greater_is_better

    def problem(self, seed: int = 0) -> MetricProblem:
        """Return a problem of a kind of rows that the metric takes."""
        kinds = [kind for need, kind in _MODALITIES.items() if need in self.spec.needs]
        problem = make_problem(self.task, kinds[0] if kinds else "table", seed)
        if "held-out" in self.spec.needs:
            self.state["held-out"] = {"holdout": problem.held_out_rows, "y_holdout": problem.held_out_targets}
        return problem

    def value(self, *args: Any) -> Any:
        """Call the metric, and return its value: a float, perhaps with an error, or None.

        Raises
        ------
        AssertionError
            If the value is neither None nor a finite number within the stated range.
        """
        value = self.call(*args)
        if value is None:
            return None
        expect(
            isinstance(value, float | int | np.floating | np.integer) and not isinstance(value, bool),
            f"it returns {type(value).__name__}: return a float, or None where there is no value",
        )
        expect(np.isfinite(float(value)), f"it returns {value}: return None, or raise a DataError, where there is none")
        low, high = self.spec.value_range
        slack = 1e-9 * max(1.0, abs(float(value)))
        within = (low is None or value >= low - slack) and (high is None or value <= high + slack)
        expect(
            within, f"it returns {float(value):.6g}, outside of its value_range {self.spec.value_range}: correct one"
        )
        return value

    def call(self, *args: Any) -> Any:
        """Call the metric without showing its warnings."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return self.function(*args, **self.state.get("held-out", {}))

    def badness(self, value: float) -> float | None:
        """Return a number that is larger for a worse value, or None if no direction is stated."""
        if self.up is not None:
            return -float(value) if self.up else float(value)
        return None if self.spec.ideal is None else abs(float(value) - self.spec.ideal)


def close(first: float | None, second: float | None, relative: float = 1e-6, absolute: float = 1e-9) -> bool:
    """Return whether two values are equal up to rounding and to the errors that they state."""
    if first is None or second is None:
        return first is second
    stated = _error(first) + _error(second)
    return abs(float(first) - float(second)) <= relative * max(abs(first), abs(second)) + absolute + 3 * stated


def _error(value: Any) -> float:
    """Return the standard error that a value states, itself or by its interval at 95 %."""
    interval = getattr(value, "interval", None)
    width = 0.0 if interval is None else float(interval[1] - interval[0])
    return max(float(getattr(value, "error", None) or 0.0), width / 3.92)
