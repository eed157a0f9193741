"""What `recommend` returns: the methods in order, with reasons, and a suite that compares them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distillkit.advice._recommended import Recommended
from distillkit.advice._situation import Situation
from distillkit.budget import Budget
from distillkit.plugins import get_manager

__all__ = ["Recommendation"]

_MOST_METHODS = 5
_MOST_EVALUATORS = 3
_SPLITS = 5  # Ten, as suites have by default, would take twice the time until the first page.


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """Methods for some data, the best first, with the measurements that this rests on.

    Parameters
    ----------
    situation : Situation
        What was measured and asked for.
    budget : Budget
    methods : tuple of Recommended
        The methods that can be used, the best first.
    excluded : tuple of Recommended
        The others, each with the reason.
    """

    situation: Situation
    budget: Budget
    methods: tuple[Recommended, ...]
    excluded: tuple[Recommended, ...] = ()

    @property
    def best(self) -> Recommended | None:
        """The first method, or None if all are excluded."""
        return self.methods[0] if self.methods else None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        return {
            "situation": self.situation.to_dict(),
            "budget": str(self.budget),
            "methods": [one.to_dict() for one in self.methods],
            "excluded": [one.to_dict() for one in self.excluded],
        }

    def to_suite(self, dataset: str | Mapping[str, Any], name: str = "recommended") -> str:
        """Return the text of a suite file that compares the first five methods and the controls.

        The automatic choice (`auto`) is among the methods, with the seconds that were asked for.

        Parameters
        ----------
        dataset : str or mapping
            Name of a dataset, or the options of one, such as ``{"path": "churn.csv", "target":
            "churned"}``.
        name : str, default="recommended"
            Name of the suite.
        """
        controls = [one for one in self.methods[_MOST_METHODS:] if one.kind == "control"]
        chosen = [*self.methods[:_MOST_METHODS], *controls]
        private = self.situation.privacy
        automatic = ["auto:private" if private else "auto"] if "auto" in {one.name for one in self.excluded} else []
        lines = [
            f"name = {_toml(name)}",
            'description = "The methods that distillkit recommends for these data."',
            f"datasets = [{_toml(dataset)}]",
            f"methods = {_toml([*(one.name for one in chosen), *automatic])}",
            f"evaluators = {_toml(self._evaluators())}",
            f"budgets = [{_toml(_budget_value(self.budget))}]",
            f"splits = {_SPLITS}",
        ]
        if private:
            lines.append("controls = false  # the controls publish training rows")
        for one in chosen:
            if one.params:
                lines += ["", f"[settings.{_toml(one.name)}]"]
                lines += [f"{key} = {_toml(value)}" for key, value in one.params.items()]
        if automatic and self.situation.seconds is not None:
            lines += ["", "[settings.auto]", f"max_seconds = {_toml(self.situation.seconds)}"]
        return "\n".join(lines) + "\n"

    def _evaluators(self) -> list[str]:
        """Return the registered evaluators for the data whose packages are installed."""
        specs: dict[str, Any] = {name: one for name, one in get_manager().specs("evaluator").items() if "/" not in name}
        fitting = [
            name
            for name, spec in specs.items()
            if self.situation.task in spec.tasks and self.situation.modality in spec.modalities and not spec.missing()
        ]
        return fitting[:_MOST_EVALUATORS]

    def __str__(self) -> str:
        return "\n".join([*_facts(self.situation, self.budget), "", *self._ranked(), *self._left_out()])

    def _ranked(self) -> list[str]:
        if not self.methods:
            return ["No method can be used; see the reasons below."]
        lines = ["Recommended, the best first:"]
        for place, one in enumerate(self.methods, start=1):
            cost = "" if one.estimate is None else f", about {_seconds(one.estimate.seconds)}, {_memory(one)}"
            lines.append(f"{place:3}. {one.name} ({one.kind}{cost})")
            lines += [f"     {reason}" for reason in one.reasons]
        return lines

    def _left_out(self) -> list[str]:
        if not self.excluded:
            return []
        return ["", "Left out:", *(f"  {one.name}: {' '.join(one.reasons)}" for one in self.excluded)]


def _facts(situation: Situation, budget: Budget) -> list[str]:
    """Return what was measured, in sentences."""
    kind = {"table": "a table", "series": "series", "image": "images"}[situation.modality]
    target = f"{situation.n_classes} classes" if situation.n_classes else "a continuous target"
    mixed = f", {situation.n_mixed} columns that are not numbers" if situation.n_mixed else ""
    gaps = f", {situation.n_gaps} columns with gaps" if situation.n_gaps else ""
    size = f"{situation.n_rows} rows with {situation.n_features} values each{mixed}{gaps}"
    lines = [f"The data are {kind} of {size}, and {target}.", f"Budget {budget} keeps {situation.budget_rows} rows."]
    if situation.imbalance >= 2:
        lines.append(f"The largest class has {situation.imbalance:.1f} times the rows of the smallest.")
    measure = "Balanced accuracy" if situation.n_classes else "R2"
    lines.append(
        f"{measure} on validation rows is {situation.score_all:.3f} with the other rows, and "
        f"{situation.score_random:.3f} with random ones of this budget."
    )
    lines.append(f"Training the judge on all rows takes about {_seconds(situation.seconds_all)}.")
    return lines


def _budget_value(budget: Budget) -> Any:
    return dict(budget.value) if isinstance(budget.value, Mapping) else budget.value


def _toml(value: Any) -> str:
    """Return a value as TOML; its text and lists are those of JSON."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value).replace("\x7f", "\\u007F")


def _seconds(value: float) -> str:
    if value < 120:
        return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def _memory(one: Recommended) -> str:
    size = one.estimate.memory_mb if one.estimate else 0.0
    return f"{max(size, 1):.0f} MB" if size < 1000 else f"{size / 1000:.1f} GB"
