"""One line of a leaderboard: all cells of one method in one comparison, over distillation and evaluation seeds."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean, variance
from typing import TYPE_CHECKING, Any

from distillkit.bench.leaderboard._stats import t_interval
from distillkit.bench.planning._cells import ANY_LABELS, FIXED_SIZE
from distillkit.specs import CONTROL, METHOD, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "COMPARISON_KEY",
    "FAILED",
    "IDENTITY",
    "LeaderboardEntry",
    "finite",
    "is_control",
    "is_reference",
    "measured",
    "role_of",
]

COMPARISON_KEY = ("dataset", "task", "evaluator", "label_mode")
"""The fields that all cells of a comparison share, whatever their budget."""

FAILED = ("failed", "timeout", "out_of_memory", "crashed")
IDENTITY = (
    "task",
    "dataset",
    "modality",
    "evaluator",
    "label_mode",
    "budget",
    "method",
    "method_name",
    "kind",
    "plugin",
    "plugin_version",
)


def finite(value: Any) -> float | None:
    """Return a number as a float; None where it is missing, not a number or infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def costs(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row says of size and time under the names of the metrics, for suites that do not ask for them."""
    found = {
        name: finite(row.get(name.replace("-", "_"))) for name in ("rows", "bytes", "seconds-distil", "seconds-train")
    }
    for unit in ("rows", "bytes"):
        seen, kept = finite(row.get(f"{unit}_seen")), found[unit]
        found[f"compression-{unit}"] = seen / kept if seen is not None and kept else None
    return {name: value for name, value in found.items() if value is not None}


def measured(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the finite metrics of a row, its costs among them."""
    values = {name: finite(value) for name, value in {**costs(row), **(row.get("metrics") or {})}.items()}
    return {name: value for name, value in values.items() if value is not None}


def is_control(cell: Mapping[str, Any]) -> bool:
    """Return whether a cell belongs to a control, which the other methods of a comparison are tested against.

    The built-in controls are the random subset, the random subset with the labels of a teacher where labels are soft, and the
    student that learns from labels alone among students.
    """
    return role_of(cell) == CONTROL


def is_reference(cell: Mapping[str, Any]) -> bool:
    """Return whether a cell is shown for orientation and takes no rank.

    That holds for references, such as the whole set or a teacher, and for every method whose rows do not follow the budget.
    """
    of_fixed_size = cell.get("label_mode") != ANY_LABELS and cell["budget"] == FIXED_SIZE
    return of_fixed_size or role_of(cell) == REFERENCE


def role_of(cell: Mapping[str, Any]) -> str:
    """Return the role of the method of a cell, also for results that were written before methods had one."""
    role = cell.get("role")
    if role is not None:
        return str(role)
    name = cell.get("method_name", cell.get("method"))
    if name in ("soft-random", "student-alone") or (name == "random" and not cell.get("method_params")):
        return CONTROL
    return REFERENCE if name in ("whole", "class-means", "teacher") else METHOD


class LeaderboardEntry:
    """Cells of one method at one budget, on one dataset, with one evaluator and one kind of labels.

    Parameters
    ----------
    cells : sequence of dict
        Identities of the planned cells, at least one, none skipped.
    rows : mapping of str to dict
        Finished rows by key; cells without a row are not done yet.
    metric : str
        The metric that decides.
    """

    def __init__(self, cells: Sequence[Mapping[str, Any]], rows: Mapping[str, Mapping[str, Any]], metric: str) -> None:
        self.cell = cells[0]
        self.planned = len(cells)
        self.metric = metric
        self.rows = [rows[cell["key"]] for cell in cells if cell["key"] in rows]
        self.ok = [row for row in self.rows if row.get("status") == "ok"]
        self.scores = self._by_seed(metric)

    def _by_seed(self, metric: str) -> dict[int, dict[int, float]]:
        """Return the finite values of a metric as distillation seed -> evaluation seed -> value."""
        values: dict[int, dict[int, float]] = {}
        for row in self.ok:
            value = measured(row).get(metric)
            if value is not None:
                values.setdefault(row["distil_seed"], {})[row["eval_seed"]] = value
        return values

    def seed_means(self, metric: str | None = None) -> list[float]:
        """Return one value per distillation seed, the mean over its evaluation seeds."""
        scores = self.scores if metric is None else self._by_seed(metric)
        return [fmean(scores[seed].values()) for seed in sorted(scores)]

    def mean(self, metric: str | None = None) -> float | None:
        """Return the mean over the distillation seeds; None without any value."""
        values = self.seed_means(metric)
        return fmean(values) if values else None

    @property
    def reference(self) -> bool:
        """Whether the line is a reference, which takes no rank."""
        return is_reference(self.cell)

    @property
    def is_whole(self) -> bool:
        """Whether the method is a reference that keeps every training row."""
        sizes = [(row.get("rows"), row.get("rows_seen")) for row in self.ok]
        return role_of(self.cell) == REFERENCE and all(rows is not None and rows == seen for rows, seen in sizes)

    @property
    def done(self) -> int:
        """Cells that gave a finite value of the deciding metric."""
        return sum(len(seeds) for seeds in self.scores.values())

    @property
    def complete(self) -> bool:
        """Whether every planned cell gave a value."""
        return self.done == self.planned

    def pairs(self, other: LeaderboardEntry) -> tuple[list[float], list[float]]:
        """Return values of both lines for the distillation seeds they share, over the evaluation seeds they share."""
        mine, theirs = [], []
        for seed in sorted(self.scores.keys() & other.scores.keys()):
            shared = self.scores[seed].keys() & other.scores[seed].keys()
            if shared:
                mine.append(fmean(self.scores[seed][eval_seed] for eval_seed in sorted(shared)))
                theirs.append(fmean(other.scores[seed][eval_seed] for eval_seed in sorted(shared)))
        return mine, theirs

    def metric_names(self) -> set[str]:
        """Return the metrics that any finished cell reports."""
        return {name for row in self.ok for name in measured(row)}

    def record(self) -> dict[str, Any]:
        """Return the line's own columns; those that need other lines are added by the comparison."""
        values = self.seed_means()
        low, high = t_interval(values) or (None, None)
        peaks = [peak for peak in (finite(row.get("peak_mb")) for row in self.rows) if peak is not None]
        statuses = Counter(str(row.get("status")) for row in self.rows)
        statuses["pending"] = self.planned - len(self.rows)
        endings = {str(row["stopped_by"]) for row in self.ok if row.get("stopped_by")}
        return {
            **{name: self.cell.get(name) for name in IDENTITY},
            "reference": self.reference,
            "metric": self.metric,
            "mean": self.mean(),
            "ci_low": low,
            "ci_high": high,
            "std": math.sqrt(variance(values)) if len(values) > 1 else None,
            "std_evaluation": self._evaluation_std(),
            "n": len(values),
            "done": f"{self.done}/{self.planned}",
            "complete": self.complete,
            "peak_mb": max(peaks, default=None),
            "stopped_by": ", ".join(sorted(endings)),
            "statuses": ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()) if count),
            "timing_shared": any((row.get("n_concurrent") or 1) > 1 for row in self.ok),
        }

    def _evaluation_std(self) -> float | None:
        """Return the spread between evaluation seeds of one distilled set, pooled over the sets."""
        spreads = [(variance(seeds.values()), len(seeds) - 1) for seeds in self.scores.values() if len(seeds) > 1]
        if not spreads:
            return None
        return math.sqrt(sum(spread * freedom for spread, freedom in spreads) / sum(freedom for _, freedom in spreads))
