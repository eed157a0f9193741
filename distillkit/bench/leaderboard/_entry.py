"""One entry of a leaderboard: all cells of one method in one comparison, over all seeds."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean, variance
from typing import TYPE_CHECKING, Any

from distillkit.bench.planning._cells import ANY_LABELS, FIXED_SIZE
from distillkit.specs import CONTROL, METHOD, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "COMPARISON_KEY",
    "FAILED",
    "IDENTITY",
    "NO_SPLIT",
    "LeaderboardEntry",
    "finite",
    "is_control",
    "is_reference",
    "measured",
    "role_of",
    "unit_of",
]

COMPARISON_KEY = ("dataset", "task", "evaluator", "label_mode")
"""The fields, apart from the budget, that all cells of a comparison share."""

FAILED = ("failed", "timeout", "out_of_memory", "crashed")
"""The statuses that count as failures."""

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


Unit = tuple[int, int]
"""Split and distillation seed of a distilled set."""

NO_SPLIT = -1
"""The split of datasets that come with a test part of their own."""


def unit_of(row: Mapping[str, Any]) -> Unit:
    """Return the split and the distillation seed of a row."""
    split = row.get("split")
    return (NO_SPLIT if split is None else int(split), int(row["distil_seed"]))


def finite(value: Any) -> float | None:
    """Return a number as a float, or None if it is missing, not a number or infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def costs(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sizes and times of a row under the names of the corresponding metrics.

    A leaderboard has these columns even if the suite does not request the metrics.
    """
    values = {
        name: finite(row.get(name.replace("-", "_"))) for name in ("rows", "bytes", "seconds-distil", "seconds-train")
    }
    for unit in ("rows", "bytes"):
        original, distilled = finite(row.get(f"{unit}_seen")), values[unit]
        values[f"compression-{unit}"] = original / distilled if original is not None and distilled else None
    return {name: value for name, value in values.items() if value is not None}


def measured(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the finite metrics of a row, including its costs."""
    values = {name: finite(value) for name, value in {**costs(row), **(row.get("metrics") or {})}.items()}
    return {name: value for name, value in values.items() if value is not None}


def is_control(cell: Mapping[str, Any]) -> bool:
    """Return whether a cell belongs to the control, against which the other methods are tested.

    The built-in controls are the random subset; for soft labels, the random subset with the labels
    of a teacher; and for student models, the student that is trained on the labels alone.
    """
    return role_of(cell) == CONTROL


def is_reference(cell: Mapping[str, Any]) -> bool:
    """Return whether a cell belongs to a reference, which is shown for comparison without a rank.

    This holds for methods with that role, such as the whole set or a teacher, and for all methods
    whose number of rows does not depend on the budget.
    """
    of_fixed_size = cell.get("label_mode") != ANY_LABELS and cell["budget"] == FIXED_SIZE
    return of_fixed_size or role_of(cell) == REFERENCE


def role_of(cell: Mapping[str, Any]) -> str:
    """Return the role of the method of a cell, also for results written before roles existed."""
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
        The primary metric, by which methods are ranked.
    """

    def __init__(self, cells: Sequence[Mapping[str, Any]], rows: Mapping[str, Mapping[str, Any]], metric: str) -> None:
        self.cell = cells[0]
        self.planned = len(cells)
        self.metric = metric
        self.rows = [rows[cell["key"]] for cell in cells if cell["key"] in rows]
        self.ok = [row for row in self.rows if row.get("status") == "ok"]
        # Metrics are asked for many times, so they are collected once, by metric.
        self._measured: dict[str, dict[Unit, dict[int, float]]] = {}
        for row in self.ok:
            unit, eval_seed = unit_of(row), row["eval_seed"]
            for name, value in measured(row).items():
                self._measured.setdefault(name, {}).setdefault(unit, {})[eval_seed] = value
        self._means: dict[str, float | None] = {}
        self.scores = self._by_unit(metric)

    def _by_unit(self, metric: str) -> dict[Unit, dict[int, float]]:
        """Return the finite values of a metric: (split, seed) -> evaluation seed -> value."""
        return self._measured.get(metric, {})

    def value(self, row: Mapping[str, Any]) -> float | None:
        """Return the primary metric of one of the rows of the entry, if it is finite."""
        return self.scores.get(unit_of(row), {}).get(row["eval_seed"])

    def seed_means(self, metric: str | None = None) -> list[float]:
        """Return the mean over the evaluation seeds, for each distilled set."""
        scores = self.scores if metric is None else self._by_unit(metric)
        return [fmean(scores[unit].values()) for unit in sorted(scores)]

    def by_split_and_seed(self, metric: str | None = None) -> dict[int, dict[int, float]]:
        """Return the mean over the evaluation seeds, by split and distillation seed."""
        splits: dict[int, dict[int, float]] = {}
        scores = self.scores if metric is None else self._by_unit(metric)
        for split, seed in sorted(scores):
            splits.setdefault(split, {})[seed] = fmean(scores[split, seed].values())
        return splits

    def by_split(self, metric: str | None = None) -> dict[int, float]:
        """Return the mean over the distilled sets of each split, by split."""
        return {split: fmean(seeds.values()) for split, seeds in self.by_split_and_seed(metric).items()}

    def mean(self, metric: str | None = None) -> float | None:
        """Return the mean over splits of the means of their sets, or None without a value."""
        name = self.metric if metric is None else metric
        if name not in self._means:
            values = self.by_split(name).values()
            self._means[name] = fmean(values) if values else None
        return self._means[name]

    @property
    def deterministic(self) -> bool:
        """Whether the method involves no randomness, so that it is distilled once a split."""
        return any(source.get("deterministic") is True for source in (self.cell, *self.ok))

    @property
    def tuned_on_test(self) -> bool:
        """Whether settings of the method were chosen on the test rows of this very dataset."""
        given = next((source["tuned_on"] for source in (self.cell, *self.ok) if source.get("tuned_on")), ())
        names = {given} if isinstance(given, str) else set(given)
        return bool(names & {self.cell["dataset"], self.cell.get("dataset_name")})

    @property
    def ranked(self) -> bool:
        """Whether the entry takes part in ranks and tests."""
        return not self.reference and not self.tuned_on_test

    def crossed_basis(self) -> str:
        """Return what the interval of a single test part is computed from, in words."""
        return "test rows and seeds" if len(self.scores) > 1 else "test rows"

    @property
    def reference(self) -> bool:
        """Whether the entry is a reference, which has no rank."""
        return is_reference(self.cell)

    @property
    def is_whole(self) -> bool:
        """Whether the method is a reference that keeps every training row."""
        sizes = [(row.get("rows"), row.get("rows_seen")) for row in self.ok]
        return role_of(self.cell) == REFERENCE and all(rows is not None and rows == total for rows, total in sizes)

    @property
    def done(self) -> int:
        """Number of cells that have a finite value of the primary metric."""
        return sum(len(seeds) for seeds in self.scores.values())

    @property
    def complete(self) -> bool:
        """Whether every planned cell has a value of the primary metric."""
        return self.done == self.planned

    def metric_names(self) -> set[str]:
        """Return the names of all metrics that any finished cell reports."""
        return set(self._measured)

    def record(self) -> dict[str, Any]:
        """Return the columns that do not depend on other entries."""
        values = self.seed_means()
        statuses = Counter(str(row.get("status")) for row in self.rows)
        statuses["pending"] = self.planned - len(self.rows)
        endings = {str(row["stopped_by"]) for row in self.ok if row.get("stopped_by")}
        return {
            **{name: self.cell.get(name) for name in IDENTITY},
            "reference": self.reference,
            "metric": self.metric,
            "mean": self.mean(),
            "std": math.sqrt(variance(values)) if len(values) > 1 else None,
            "std_evaluation": self._evaluation_std(),
            "n": len(values),
            "n_splits": len(self.by_split()) if any(split != NO_SPLIT for split, _ in self.scores) else None,
            "deterministic": self.deterministic,
            "tuned_on_test": self.tuned_on_test,
            "done": f"{self.done}/{self.planned}",
            "complete": self.complete,
            **{name: self._largest(name) for name in ("peak_mb", "peak_mb_distil", "peak_mb_evaluate")},
            "stopped_by": ", ".join(sorted(endings)),
            "statuses": ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()) if count),
            "timing_shared": any((row.get("n_concurrent") or 1) > 1 for row in self.ok),
        }

    def _largest(self, name: str) -> float | None:
        values = [value for value in (finite(row.get(name)) for row in self.rows) if value is not None]
        return max(values, default=None)

    def _evaluation_std(self) -> float | None:
        """Return the standard deviation between evaluation seeds, pooled over distilled sets."""
        # Pairs of the variance and its degrees of freedom, one for each distilled set.
        variances = [(variance(seeds.values()), len(seeds) - 1) for seeds in self.scores.values() if len(seeds) > 1]
        if not variances:
            return None
        return math.sqrt(sum(value * dof for value, dof in variances) / sum(dof for _, dof in variances))
