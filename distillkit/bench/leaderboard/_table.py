"""The leaderboard's table: one line per comparison and method, from the lines' own columns and those between lines."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

import pandas as pd

from distillkit.bench.leaderboard._compare import compare
from distillkit.bench.leaderboard._entry import COMPARISON_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distillkit.bench.leaderboard._entry import LeaderboardEntry
    from distillkit.specs import MetricSpec

__all__ = ["COLUMNS", "LEADING", "TRAILING", "make_table"]

LEADING = (
    "dataset", "task", "modality", "evaluator", "label_mode", "budget", "method", "kind", "plugin", "plugin_version", "reference", "rank",
    "metric", "mean", "ci_low", "ci_high", "std", "std_evaluation", "n", "done", "complete", "p_vs_random", "vs_random",
    "better_than_random", "separated", "gap_to_whole",
)  # fmt: skip
TRAILING = ("seconds-train-whole", "training-time-reduction", "peak_mb", "stopped_by", "statuses", "timing_shared")
COSTS = ("rows", "bytes", "compression-rows", "compression-bytes", "seconds-distil", "seconds-train")
COLUMNS = (*LEADING, *COSTS, *TRAILING)
"""Columns that every table has, in order; those of further metrics stand before the costs."""

DTYPES: dict[str, Any] = {
    "rank": "Int64", "n": "Int64", "better_than_random": "boolean", "separated": "boolean", "reference": bool, "complete": bool,
    "timing_shared": bool,
} | dict.fromkeys(("mean", "ci_low", "ci_high", "std", "std_evaluation", "p_vs_random", "gap_to_whole", "peak_mb", *COSTS, *TRAILING[:2]), float)  # fmt: skip


def make_table(
    comparisons: Sequence[tuple[list[LeaderboardEntry], int]],
    metrics: Mapping[str, MetricSpec],
    primary: Mapping[str, str],
) -> pd.DataFrame:
    """Return the leaderboard's table.

    Parameters
    ----------
    comparisons : sequence of (lines, sign)
        As for `distillkit.bench.leaderboard._compare.compare`, in the order wanted.
    metrics : mapping of str to MetricSpec
        Gives the order of the metrics' columns.
    primary : mapping of str to str
        Task -> metric that decides.
    """
    lines = [line for group, _ in comparisons for line in group]
    known = set().union(*(line.metric_names() for line in lines)) if lines else set()
    fixed = {*COSTS, *primary.values()}
    extra = [name for name in metrics if name in known - fixed] + sorted(known - fixed - metrics.keys())
    ordered = list(dict.fromkeys([*(line.metric for line in lines), *extra, *COSTS]))
    columns = {name: _column(name) for name in ordered}
    seconds, scores = (
        _of_whole(lines, "seconds-train", ("dataset", "task", "evaluator")),
        _of_whole(lines, None, COMPARISON_KEY),
    )
    records = []
    for group, sign in comparisons:
        compared = [
            line.record() | more | _means(line, columns) | _against_whole(line, seconds, scores)
            for line, more in zip(group, compare(group, sign), strict=True)
        ]
        records += sorted(
            compared, key=lambda record: (record["rank"] is None, record["rank"] or 0, str(record["method"]))
        )
    frame = pd.DataFrame(records, columns=[*LEADING, *columns.values(), *TRAILING])
    dtypes: dict[str, Any] = {**DTYPES, **dict.fromkeys(columns.values(), float)}
    return frame.astype(dtypes)


def _column(metric: str) -> str:
    """Name the column of a metric; a plugin's metric may be called like a column of ours."""
    return f"metric.{metric}" if metric in (*LEADING, *TRAILING) else metric


def _means(line: LeaderboardEntry, columns: Mapping[str, str]) -> dict[str, float | None]:
    return {column: line.mean(name) for name, column in columns.items()}


def _key(line: LeaderboardEntry, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(line.cell[name] for name in names)


def _of_whole(
    lines: Sequence[LeaderboardEntry], metric: str | None, names: Sequence[str]
) -> dict[tuple[Any, ...], float]:
    """Return what the whole set has of a metric (None: the deciding one), by the given fields of its lines."""
    values: dict[tuple[Any, ...], list[float]] = {}
    for line in lines:
        value = line.mean(metric) if line.is_whole else None
        if value is not None:
            values.setdefault(_key(line, names), []).append(value)
    return {key: fmean(found) for key, found in values.items()}


def _against_whole(
    line: LeaderboardEntry, seconds: Mapping[tuple[Any, ...], float], scores: Mapping[tuple[Any, ...], float]
) -> dict[str, float | None]:
    reference, own = seconds.get(_key(line, ("dataset", "task", "evaluator"))), line.mean("seconds-train")
    score, mean = scores.get(_key(line, COMPARISON_KEY)), line.mean()
    return {
        "seconds-train-whole": reference,
        "training-time-reduction": None if reference is None or not own else reference / own,
        "gap_to_whole": None if score is None or mean is None else mean - score,
    }
