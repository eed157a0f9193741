"""Compares two results cell by cell, with the paired statistics of the leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from distillkit.bench.leaderboard._compare import SIGNIFICANCE_LEVEL
from distillkit.bench.leaderboard._entry import LeaderboardEntry, measured
from distillkit.bench.leaderboard._sampling import Sampler
from distillkit.bench.leaderboard._stats import holm, student_p, student_quantile
from distillkit.bench.planning._suite import DEFAULT_PRIMARY
from distillkit.bench.sharing._row_source import RowSource
from distillkit.plugins import get_manager

__all__ = ["COLUMNS", "ComparedResults", "compare_results"]

Row = Mapping[str, Any]

_ENTRY = ("dataset", "evaluator", "label_mode", "budget", "method")
_REPETITION = ("split", "distil_seed", "eval_seed")
_FIRST, _SECOND = "first", "second"
COLUMNS = (
    *_ENTRY, "metric", "cells", "first", "second", "difference", "ci_low", "ci_high", "p", "verdict", "note",
)  # fmt: skip


@dataclass(frozen=True)
class ComparedResults:
    """Two results beside each other.

    Parameters
    ----------
    table : DataFrame
        One row per method, budget, dataset, evaluator and kind of labels that both have, with the
        columns `COLUMNS`: means of the primary metric over the cells that both have, the difference
        (second less first) with its 95 % interval and the p-value corrected by Holm's method, and
        the verdict ``identical``, ``better``, ``worse``, ``no difference`` or ``not tested`` from
        the point of view of the second.
    only_first, only_second : dict of str to int
        Numbers of cells that only one of them has, by dataset, method and budget in words.
    """

    table: pd.DataFrame
    only_first: dict[str, int]
    only_second: dict[str, int]


def compare_results(first: RowSource, second: RowSource) -> ComparedResults:
    """Compare two results by the cells that have the same labels, splits and seeds.

    The cells may have been measured by different versions, so that their keys differ.

    Parameters
    ----------
    first, second : RowSource

    Returns
    -------
    ComparedResults
    """
    one, other = (_by_place(source) for source in (first, second))
    shared = [place for place in one if place in other]
    entries: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for place in shared:
        entries.setdefault(place[: len(_ENTRY)], []).append(place)
    metrics = get_manager().short_specs("metric")
    sampler = Sampler(metrics, _SharedTargets(first, second).of)
    records = [
        _record([one[place] for place in places], [other[place] for place in places], sampler)
        for places in entries.values()
    ]
    tested = [record for record in records if record["p"] is not None]
    for record, p in zip(tested, holm([record["p"] for record in tested]), strict=True):
        record["p"] = p
    for record in records:
        record["verdict"] = _verdict(record, metrics)
    frame = pd.DataFrame([{name: record[name] for name in COLUMNS} for record in records], columns=list(COLUMNS))
    numbers = ("first", "second", "difference", "ci_low", "ci_high", "p")
    return ComparedResults(
        frame.astype(dict.fromkeys(numbers, float)),
        _only(one, other),
        _only(other, one),
    )


def _by_place(source: RowSource) -> dict[tuple[Any, ...], Row]:
    return {tuple(row.get(name) for name in (*_ENTRY, *_REPETITION)): row for row in source.rows.values()}


def _only(one: Mapping[tuple[Any, ...], Row], other: Mapping[tuple[Any, ...], Row]) -> dict[str, int]:
    missing = [row for place, row in one.items() if place not in other]
    return dict(Counter(f"{row['method']} on {row['dataset']}, budget {row['budget']}" for row in missing))


class _SharedTargets:
    """The targets of both results; equal targets are those of the first under either key."""

    def __init__(self, first: RowSource, second: RowSource) -> None:
        self._stores = (first.store, second.store)

    def of(self, data_key: str) -> Mapping[str, Any] | None:
        return next((found for store in self._stores if (found := store.targets(data_key)) is not None), None)


def _record(one: list[Row], other: list[Row], sampler: Sampler) -> dict[str, Any]:
    """Return the line of one entry, with the uncorrected p-value."""
    metric = str(one[0].get("primary") or other[0].get("primary") or DEFAULT_PRIMARY[one[0]["task"]])
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if metric in measured(a) and metric in measured(b)]
    record: dict[str, Any] = {name: one[0].get(name) for name in _ENTRY}
    record |= {"metric": metric, "cells": f"{len(pairs)}/{len(one)}", "note": ""}
    record |= dict.fromkeys(("first", "second", "difference", "ci_low", "ci_high", "p"))
    record["same"] = bool(pairs) and all(measured(a)[metric] == measured(b)[metric] for a, b in pairs)
    if not pairs:
        return record | {"note": "no cell has a value in both"}
    means = [_entry([pair[side] for pair in pairs], name, metric) for side, name in enumerate((_FIRST, _SECOND))]
    values = [entry.mean() for entry in means]
    record |= {"first": values[0], "second": values[1], "difference": (values[1] or 0.0) - (values[0] or 0.0)}
    if record["same"]:
        return record
    sampling = sampler.sampling(means)
    if sampling.sample is None:
        return record | {"note": sampling.note}
    estimate = sampling.sample.difference(_SECOND, _FIRST)
    if estimate is None:
        return record | {"note": "no interval: a single split has a value"}
    half = student_quantile(1 - SIGNIFICANCE_LEVEL, estimate.dof) * estimate.error
    record |= {"ci_low": estimate.value - half, "ci_high": estimate.value + half}
    if sampling.sample.comparable(_FIRST) and sampling.sample.comparable(_SECOND):
        record["p"] = student_p(estimate.value / estimate.error, estimate.dof)
    return record


def _entry(rows: list[Row], name: str, metric: str) -> LeaderboardEntry:
    """Return the rows of one side as an entry of a leaderboard, under the name of the side."""
    named = [{**row, "method": name} for row in rows]
    return LeaderboardEntry(named, {row["key"]: row for row in named}, metric)


def _verdict(record: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    if record["same"]:
        return "identical"
    if record["p"] is None:
        return "not tested"
    if record["p"] >= SIGNIFICANCE_LEVEL:
        return "no difference"
    spec = metrics.get(record["metric"])
    sign = -1 if spec is not None and spec.greater_is_better is False else 1
    return "better" if sign * record["difference"] > 0 else "worse"
