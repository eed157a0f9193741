"""One dataset with one evaluator and one kind of labels: methods against budgets, as reporters show them."""

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
    """What one table or plot shows.

    Parameters
    ----------
    dataset, task, modality, evaluator, label_mode, metric : str
    greater_is_better : bool
    budgets : list of str
        Smallest first; empty where only methods of fixed size were run, and for students.
    methods : list of str
        Methods that follow the budget, or students; best average rank first.
    references : list of str
        Methods of fixed size, or the teacher: lines to compare with, without rank.
    entries : dict of (method, budget) to dict
        Columns of the leaderboard's table, missing values as None; references under the budget ``"-"``.
    published : list of dict
        Published figures whose method was run here.
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

    @property
    def title(self) -> str:
        """Dataset, evaluator and, where they are soft, labels."""
        return f"{self.dataset} · {self.evaluator}" + (
            f" · {self.label_mode} labels" if self.label_mode == "soft" else ""
        )

    @property
    def of_students(self) -> bool:
        """Whether the methods reduce a model and not rows."""
        return self.label_mode == ANY_LABELS

    def get(self, method: str, budget: str) -> dict[str, Any] | None:
        """Return the line of a method at a budget; of a reference, whatever the budget (students are all of budget "-")."""
        return self.entries.get((method, FIXED_SIZE if method in self.references else budget))

    def best(self, budget: str) -> set[str]:
        """Return the methods of rank 1 at a budget."""
        return {name for name in self.methods if (entry := self.get(name, budget)) is not None and entry["rank"] == 1}


def budget_order(budget: str) -> tuple[int, float, str]:
    """Return a sort key: rows per class, then shares, then rows per label, each from small to large."""
    try:
        value = float(budget)
    except ValueError:
        return (3, 0.0, budget) if budget == FIXED_SIZE else (2, 0.0, budget)
    return (1 if 0 < value < 1 else 0, value, budget)


def plain(value: Any) -> Any:
    """Return pandas' missing values as None and its scalars as Python's."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain dicts."""
    return [{str(name): plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def make_panels(table: pd.DataFrame, published: pd.DataFrame, greater_is_better: dict[str, bool]) -> list[Panel]:
    """Divide the leaderboard's table into panels, in the order of the table.

    Parameters
    ----------
    table, published : DataFrame
        Of a `Leaderboard`.
    greater_is_better : dict of str to bool
        By metric.
    """
    panels: dict[tuple[Any, ...], Panel] = {}
    for entry in records(table):
        key = tuple(entry[name] for name in COMPARISON_KEY)
        if key not in panels:
            fields = {name: entry[name] for name in (*COMPARISON_KEY, "modality", "metric")}
            panels[key] = Panel(**fields, greater_is_better=greater_is_better.get(entry["metric"], True))
        panels[key].entries[entry["method"], entry["budget"]] = entry
    for panel in panels.values():
        _arrange(panel)
        panel.published = [
            figure
            for figure in records(published)
            if (figure["dataset"], figure["evaluator"], figure["label_mode"])
            == (panel.dataset, panel.evaluator, panel.label_mode)
        ]
    return list(panels.values())


def _arrange(panel: Panel) -> None:
    panel.budgets = sorted({budget for _, budget in panel.entries if budget != FIXED_SIZE}, key=budget_order)
    panel.references = _unique(method for (method, _), entry in panel.entries.items() if entry["reference"])
    methods = _unique(method for (method, _), entry in panel.entries.items() if not entry["reference"])
    panel.methods = sorted(methods, key=lambda name: (_average_rank(panel, name), name))


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _average_rank(panel: Panel, method: str) -> float:
    """Return the mean rank over budgets; a budget without a rank counts as behind all."""
    entries = [panel.entries.get((method, budget)) for budget in panel.budgets or [FIXED_SIZE]]
    last = 1 + len({name for name, _ in panel.entries})
    ranks = [last if entry is None or entry["rank"] is None else entry["rank"] for entry in entries]
    return sum(ranks) / len(ranks)
