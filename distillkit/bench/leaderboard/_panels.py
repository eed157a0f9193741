"""Panels, which hold the methods and budgets of one dataset, evaluator and kind of labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from distillkit.bench.leaderboard._entry import COMPARISON_KEY
from distillkit.bench.planning._cells import ANY_LABELS, FIXED_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Panel", "budget_order", "make_panels"]


@dataclass
class Panel:
    """The data of one table or plot: methods against budgets.

    Parameters
    ----------
    dataset, task, modality, evaluator, label_mode, metric : str
        Fields that all entries share.
    greater_is_better : bool
        Whether a greater value of the metric is better.
    budgets : list of str
        The budgets, smallest first; empty if only methods of fixed size were run, and for students.
    methods : list of str
        Methods that follow the budget, or students, in order of their average ranks.
    references : list of str
        Methods of fixed size, or the teacher, which are shown for comparison without a rank.
    entries : dict of (method, budget) to dict
        Rows of the leaderboard's table, with None for missing values; references have the budget
        ``"-"``.
    published : list of dict
        Published results for the dataset, evaluator and kind of labels of the panel.
    task_note : str
        How the task was inferred from the target, if it was.
    notes : list of str
        What a reader should know of the test rows and intervals of the dataset, in sentences.
    """

    dataset: str
    task: str
    modality: str
    evaluator: str
    label_mode: str
    metric: str
    greater_is_better: bool
    budgets: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    entries: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    published: list[dict[str, Any]] = field(default_factory=list)
    task_note: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def described_task(self) -> str:
        """The task, and how it was inferred from the target if it was."""
        reason = self.task_note.partition(", ")[2]
        return f"{self.task} ({reason})" if reason else self.task

    @property
    def title(self) -> str:
        """Heading with the dataset, the evaluator and, if the labels are soft, their kind."""
        return f"{self.dataset} · {self.evaluator}" + (
            f" · {self.label_mode} labels" if self.label_mode == "soft" else ""
        )

    @property
    def of_students(self) -> bool:
        """Whether the methods reduce a model instead of rows."""
        return self.label_mode == ANY_LABELS

    def get(self, method: str, budget: str) -> dict[str, Any] | None:
        """Return the entry of a method at a budget, or None; for references any budget will do."""
        return self.entries.get((method, FIXED_SIZE if method in self.references else budget))

    def best(self, budget: str) -> set[str]:
        """Return the methods that are tied with the best one at a budget."""
        found = {name: self.get(name, budget) for name in self.methods}
        return {name for name, entry in found.items() if entry is not None and entry["tied_with_best"]}


def budget_order(budget: str) -> tuple[int, float, str]:
    """Return a sort key for budgets: counts, then fractions, then counts by label, then "-"."""
    try:
        value = float(budget)
    except ValueError:
        return (3, 0.0, budget) if budget == FIXED_SIZE else (2, 0.0, budget)
    return (1 if 0 < value < 1 else 0, value, budget)


_PLAIN = frozenset({str, int, bool})


def native_value(value: Any) -> Any:
    """Convert a scalar of pandas or NumPy to a Python value, and a missing value to None."""
    if value is None or value is pd.NA:
        return None
    if type(value) is float:  # The common types are tested first, because tables are large.
        return None if math.isnan(value) else value
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.item() if hasattr(value, "item") else value


def to_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Convert the rows of a DataFrame to dicts of Python values."""
    names = [str(name) for name in frame.columns]
    columns = [[native_value(value) for value in frame.iloc[:, place].tolist()] for place in range(len(names))]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def make_panels(table: pd.DataFrame, published: pd.DataFrame, greater_is_better: dict[str, bool]) -> list[Panel]:
    """Divide the leaderboard's table into panels, in the order of the table.

    Parameters
    ----------
    table, published : DataFrame
        The tables of a `LeaderboardData`.
    greater_is_better : dict of str to bool
        Whether a greater value is better, by metric; True for metrics that are not in it.
    """
    panels: dict[tuple[Any, ...], Panel] = {}
    for entry in to_records(table):
        key = tuple(entry[name] for name in COMPARISON_KEY)
        if key not in panels:
            fields = {name: entry[name] for name in (*COMPARISON_KEY, "modality", "metric")}
            panels[key] = Panel(**fields, greater_is_better=greater_is_better.get(entry["metric"], True))
        panels[key].entries[entry["method"], entry["budget"]] = entry
    results: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for result in to_records(published):
        results.setdefault((result["dataset"], result["evaluator"], result["label_mode"]), []).append(result)
    for panel in panels.values():
        _set_order(panel)
        panel.published = results.get((panel.dataset, panel.evaluator, panel.label_mode), [])
    return list(panels.values())


def _set_order(panel: Panel) -> None:
    """Set the budgets, references and methods of a panel, in the order in which they are shown."""
    panel.budgets = sorted({budget for _, budget in panel.entries if budget != FIXED_SIZE}, key=budget_order)
    panel.references = _deduplicate(method for (method, _), entry in panel.entries.items() if entry["reference"])
    methods = _deduplicate(method for (method, _), entry in panel.entries.items() if not entry["reference"])
    panel.methods = sorted(methods, key=lambda name: (_average_rank(panel, name), name))


def _deduplicate(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _average_rank(panel: Panel, method: str) -> float:
    """Return the mean rank over the budgets; a missing rank counts as one worse than the last."""
    entries = [panel.entries.get((method, budget)) for budget in panel.budgets or [FIXED_SIZE]]
    last = 1 + len({name for name, _ in panel.entries})
    ranks = [last if entry is None or entry["rank"] is None else entry["rank"] for entry in entries]
    return sum(ranks) / len(ranks)
