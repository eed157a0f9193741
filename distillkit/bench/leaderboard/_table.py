"""Builds the table of a leaderboard, with one row per entry."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

import pandas as pd

from distillkit.bench.leaderboard._compare import corrected
from distillkit.bench.leaderboard._entry import COMPARISON_KEY
from distillkit.bench.leaderboard._set_facts import (
    FLOOR_PARTS,
    PRIVACY_COLUMNS,
    floor_means,
    floor_names,
    privacy_columns,
)
from distillkit.bench.leaderboard._training_times import TRAINING_COLUMNS, training_times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distillkit.bench.leaderboard._compare import ComparedEntries
    from distillkit.bench.leaderboard._entry import LeaderboardEntry
    from distillkit.specs import MetricSpec

__all__ = ["COLUMNS", "LEADING", "TRAILING", "make_table"]

LEADING = (
    "dataset", "task", "modality", "evaluator", "label_mode", "budget", "method", "kind",
    "plugin", "plugin_version", "reference", "rank", "rank_low", "rank_high", "tied_with_best",
    "metric", "mean", "ci_low", "ci_high", "interval_from", "std", "std_evaluation", "n", "n_splits",
    "done", "complete", "deterministic", "tuned_on_test",
    "p_vs_random", "vs_random", "better_than_random", "gap_to_whole",
    "gap_recovered", "gap_low", "gap_high",
)  # fmt: skip
TRAILING = (
    *TRAINING_COLUMNS,
    "peak_mb",
    "peak_mb_distil",
    "peak_mb_evaluate",
    "stopped_by",
    "statuses",
    "timing_shared",
    *PRIVACY_COLUMNS,
    "note",
)
COSTS = ("rows", "bytes", "compression-rows", "compression-bytes", "seconds-distil", "seconds-train")
COLUMNS = (*LEADING, *COSTS, *TRAILING)
"""The columns that every table has, in order; those of further metrics come before the costs."""

_FLOATS = (
    "mean",
    "ci_low",
    "ci_high",
    "std",
    "std_evaluation",
    "p_vs_random",
    "gap_to_whole",
    "gap_recovered",
    "gap_low",
    "gap_high",
)
_PEAKS = ("peak_mb", "peak_mb_distil", "peak_mb_evaluate")
DTYPES: dict[str, Any] = {
    "rank": "Int64",
    "rank_low": "Int64",
    "rank_high": "Int64",
    "n": "Int64",
    "n_splits": "Int64",
    "deterministic": bool,
    "tuned_on_test": bool,
    **dict.fromkeys(("tied_with_best", "exposes_originals", "starts_from_real"), "boolean"),
    "better_than_random": "boolean",
    "reference": bool,
    "complete": bool,
    "timing_shared": bool,
} | dict.fromkeys((*_FLOATS, *COSTS, *TRAINING_COLUMNS, *_PEAKS), float)


def make_table(
    comparisons: Sequence[ComparedEntries],
    metrics: Mapping[str, MetricSpec],
    primary: Mapping[str, str],
) -> pd.DataFrame:
    """Build the table of a leaderboard.

    Parameters
    ----------
    comparisons : sequence of ComparedEntries
        In the order of the rows.
    metrics : mapping of str to MetricSpec
        Gives the order of the columns of metrics.
    primary : mapping of str to str
        The metric that methods are ranked by, per task.
    """
    entries = [entry for comparison in comparisons for entry in comparison.entries]
    # 1. Order the columns: primary metrics, further metrics, costs.
    measured = set().union(*(entry.metric_names() for entry in entries)) if entries else set()
    fixed = {*COSTS, *primary.values()}
    extra = [name for name in metrics if name in measured - fixed] + sorted(measured - fixed - metrics.keys())
    ordered = list(dict.fromkeys([*(entry.metric for entry in entries), *extra, *COSTS]))
    columns = {name: _column(name) for name in ordered}
    with_floors = [name for name in ordered if name in floor_names(row for entry in entries for row in entry.ok)]
    # 2. Fill in the rows, each comparison sorted by rank.
    scores = _whole_set_means(entries)
    costs = {id(entry): cost for entry, cost in zip(entries, training_times(entries), strict=True)}
    records = []
    for comparison, pvalues in zip(comparisons, corrected(comparisons), strict=True):
        compared = [
            entry.record()
            | record
            | _means(entry, columns)
            | _floors(entry, with_floors)
            | privacy_columns(entry.ok)
            | costs[id(entry)]
            | {"gap_to_whole": _gap(entry, scores)}
            for entry, record in zip(comparison.entries, comparison.records(pvalues), strict=True)
        ]
        records += sorted(
            compared, key=lambda record: (record["rank"] is None, record["rank"] or 0, str(record["method"]))
        )
    floors = {name: [f"{columns[name]}.{part}" for part in FLOOR_PARTS] for name in with_floors}
    numbers = [column for name in ordered for column in (columns[name], *floors.get(name, ()))]
    frame = pd.DataFrame(records, columns=[*LEADING, *numbers, *TRAILING])
    dtypes: dict[str, Any] = {**DTYPES, **dict.fromkeys(numbers, float)}
    return frame.astype(dtypes)


def _column(metric: str) -> str:
    """Return the column of a metric, with a prefix if a metric has the name of another column."""
    return f"metric.{metric}" if metric in (*LEADING, *TRAILING) else metric


def _means(entry: LeaderboardEntry, columns: Mapping[str, str]) -> dict[str, float | None]:
    return {column: entry.mean(name) for name, column in columns.items()}


def _floors(entry: LeaderboardEntry, names: Sequence[str]) -> dict[str, float | None]:
    return {f"{_column(name)}.{part}": value for name in names for part, value in floor_means(entry.ok, name).items()}


def _key(entry: LeaderboardEntry) -> tuple[Any, ...]:
    return tuple(entry.cell[name] for name in COMPARISON_KEY)


def _whole_set_means(entries: Sequence[LeaderboardEntry]) -> dict[tuple[Any, ...], float]:
    """Return the means of the primary metric for the whole set, by comparison."""
    values: dict[tuple[Any, ...], list[float]] = {}
    for entry in entries:
        value = entry.mean() if entry.is_whole else None
        if value is not None:
            values.setdefault(_key(entry), []).append(value)
    return {key: fmean(means) for key, means in values.items()}


def _gap(entry: LeaderboardEntry, scores: Mapping[tuple[Any, ...], float]) -> float | None:
    """Return the mean of an entry minus that of the whole set."""
    whole_mean, mean = scores.get(_key(entry)), entry.mean()
    return None if whole_mean is None or mean is None else mean - whole_mean
