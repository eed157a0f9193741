"""What the scripts of the page know: methods, panels, entries with their splits, and the table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData, Panel
from distillkit.bench.leaderboard._compare import SIGNIFICANCE_LEVEL
from distillkit.bench.leaderboard._entry import finite, is_reference, role_of
from distillkit.bench.leaderboard._overall import MIN_DATASETS
from distillkit.bench.leaderboard._stats import nemenyi_cd
from distillkit.bench.planning._cells import ANY_LABELS
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters.page._columns import Column
from distillkit.specs import CONTROL

__all__ = ["LEADERS", "entry_key", "entry_keys", "leading_methods", "page_payload"]

LEADERS = 5
"""So many methods have a color of their own; the others are gray until they are chosen."""

_FIRST_COLORS = {"hard": 0, "soft": LEADERS, ANY_LABELS: 0}
"""Number of the first color of the leaders by kind of labels.

Students stand in no chart with the others.
"""

_DIGITS = 6

_KEY = ("dataset", "evaluator", "label_mode", "method", "budget")

Key = tuple[Any, ...]
"""Dataset, evaluator, kind of labels, method and budget of an entry."""


def entry_keys(entries: Sequence[Mapping[str, Any]]) -> dict[Key, int]:
    """Return the place of each entry in the leaderboard's table by what identifies it."""
    return {entry_key(entry): place for place, entry in enumerate(entries)}


def entry_key(record: Mapping[str, Any]) -> Key:
    """Return what identifies the entry of a line of the table, or of a row that may lack fields."""
    return tuple(record.get(name) for name in _KEY)


def leading_methods(panels: Sequence[Panel]) -> list[str]:
    """Return all methods that take part in ranks, the one with the smallest average rank first.

    A method without a rank in a comparison counts there as one place behind the last.
    """
    ranks: dict[str, list[float]] = {}
    for panel in panels:
        for budget in panel.budgets or ["-"]:
            last = len(panel.methods) + 1
            for method in panel.methods:
                entry = panel.get(method, budget)
                if entry is not None:
                    ranks.setdefault(method, []).append(last if entry["rank"] is None else entry["rank"])
    return sorted(ranks, key=lambda name: (sum(ranks[name]) / len(ranks[name]), -len(ranks[name]), name))


def page_payload(
    leaderboard: LeaderboardData,
    panels: Sequence[Panel],
    entries: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
) -> dict[str, Any]:
    """Return what filters, tables and charts are made from, as values for JSON.

    Parameters
    ----------
    leaderboard : LeaderboardData
    panels : sequence of Panel
    entries : sequence of mapping
        The rows of the leaderboard's table.
    columns : sequence of Column
        The columns of the table of all entries.
    """
    methods = _methods(leaderboard, panels)
    names = [method["name"] for method in methods]
    splits = _split_means(leaderboard, entries)
    places = {panel_key(panel): place for place, panel in enumerate(panels)}
    return {
        "title": leaderboard.title,
        "methods": methods,
        "panels": [_panel(panel) for panel in panels],
        "entries": [
            {
                "panel": places[entry["dataset"], entry["evaluator"], entry["label_mode"]],
                "method": names.index(entry["method"]),
                "budget": entry["budget"],
                "reference": entry["reference"],
                "mean": short(entry["mean"]),
                "low": short(entry["ci_low"]),
                "high": short(entry["ci_high"]),
                "place": entry["rank"],
                "rank": fmt.rank_text(entry),
                "tied": bool(entry["tied_with_best"]),
                "ranked": entry["rank"] is not None and bool(entry["complete"]),
                "marks": fmt.marks(entry),
                "why": "" if entry["mean"] is not None else fmt.missing_reason(entry),
                "rows": short(entry["rows"]),
                "bytes": short(entry["bytes"]),
                "seconds": short(entry["seconds-distil"]),
                "privacy": entry["privacy"] or "",
                "splits": splits.get(entry_key(entry), {}),
            }
            for entry in entries
        ],
        "columns": [
            {"key": c.key, "label": c.label, "numeric": c.numeric, "extra": c.extra, "help": c.help} for c in columns
        ],
        "table": [[_table_cell(column, entry) for column in columns] for entry in entries],
        "published": [_published(result, place) for place, panel in enumerate(panels) for result in panel.published],
        "tests": _critical_values(len(methods)),
    }


def panel_key(panel: Panel) -> tuple[str, str, str]:
    """Return what identifies a panel."""
    return (panel.dataset, panel.evaluator, panel.label_mode)


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "dataset": panel.dataset,
        "task": panel.task,
        "evaluator": panel.evaluator,
        "labels": panel.label_mode,
        "metric": panel.metric,
        "greater": panel.greater_is_better,
        "title": panel.title,
        "budgets": panel.budgets,
        "titles": [fmt.budget_title(panel, budget) for budget in panel.budgets],
        "places": fmt.score_decimals(panel),
        "students": panel.of_students,
    }


def _methods(leaderboard: LeaderboardData, panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Return the methods with their families, roles and colors; references come last."""
    leading = leading_methods(panels)
    references = list(dict.fromkeys(name for panel in panels for name in panel.references if name not in leading))
    kinds = dict(zip(leaderboard.table["method"], leaderboard.table["kind"], strict=True))
    controls = {row["method"] for row in leaderboard.rows if role_of(row) == CONTROL and not is_reference(row)}
    candidates = [name for name in leading if name not in controls and kinds.get(name) != "control"]
    # Methods with soft labels and students are compared only with their like, and have their own
    # colors.
    modes = {name: panel.label_mode for panel in reversed(panels) for name in panel.methods if name in candidates}
    groups = {mode: [name for name in candidates if modes[name] == mode] for mode in _FIRST_COLORS}
    colors = {name: _FIRST_COLORS[mode] + i for mode, group in groups.items() for i, name in enumerate(group[:LEADERS])}
    return [
        {
            "name": name,
            "family": str(kinds.get(name) or ""),
            "role": "reference" if name in references else "control" if name in controls else "method",
            "control": name in references or name in controls or kinds.get(name) == "control",
            "color": colors.get(name),
        }
        for name in (*leading, *references)
    ]


def _split_means(leaderboard: LeaderboardData, entries: Sequence[Mapping[str, Any]]) -> dict[Key, dict[str, Any]]:
    """Return the mean of the primary metric of each split, by entry."""
    metrics = {entry_key(entry): entry["metric"] for entry in entries}
    sums: dict[Key, dict[int, dict[int, list[float]]]] = {}
    for row in leaderboard.rows:
        if row.get("status") != "ok" or row.get("split") is None or (metric := metrics.get(entry_key(row))) is None:
            continue
        value = finite((row.get("metrics") or {}).get(metric))
        if value is not None:
            sums.setdefault(entry_key(row), {}).setdefault(row["split"], {}).setdefault(row["distil_seed"], []).append(
                value
            )
    return {
        key: {
            str(split): short(sum(sum(values) / len(values) for values in seeds.values()) / len(seeds))
            for split, seeds in sorted(splits.items())
        }
        for key, splits in sums.items()
    }


def short(value: Any) -> Any:
    """Return a number with as many digits as anyone reads, and None for what is no number."""
    number = finite(value)
    if number is None:
        return None
    rounded = float(f"{number:.{_DIGITS}g}")
    return int(rounded) if rounded == math.floor(rounded) and abs(rounded) < 1e15 else rounded


def _table_cell(column: Column, entry: Mapping[str, Any]) -> Any:
    """Return a text, or a pair of number and text."""
    shown = column.text(entry)
    return [short(column.value(entry)), shown] if column.numeric else shown


def _published(result: Mapping[str, Any], panel: int) -> dict[str, Any]:
    verdict = ": ".join(filter(None, (result["verdict"], result["reason"])))
    return {
        "panel": panel,
        "method": result["line_method"],
        "budget": result["budget"],
        "value": short(result["published"]),
        "words": f"published: {result['published_as']} {fmt.fixed(result['published'])} with "
        f"{result['published_evaluator']}, {verdict} ({result['protocol']}; {result['source']})",
    }


def _critical_values(most: int) -> dict[str, Any]:
    """Return the critical values with which the page tests what its filters leave.

    ``nemenyi`` holds Nemenyi's critical difference for one dataset, which is to be divided by the
    root of the number of datasets, and ``friedman`` the critical value of chi squared, both by the
    number of methods.
    """
    from scipy.stats import chi2

    numbers = range(3, most + 1)
    return {
        "least": MIN_DATASETS,
        "nemenyi": {k: round(nemenyi_cd(k, 1), 6) for k in numbers},
        "friedman": {k: round(float(chi2.ppf(1 - SIGNIFICANCE_LEVEL, k - 1)), 6) for k in numbers},
    }
