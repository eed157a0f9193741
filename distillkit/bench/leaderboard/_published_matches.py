"""Matches published results with the entries of a leaderboard that they concern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from distillkit.bench.leaderboard._entry import finite
from distillkit.bench.leaderboard._published_verdicts import (
    OTHER_PROTOCOL,
    is_judge,
    stored_share,
    verdict,
    why_other_protocol,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from distillkit.bench.leaderboard._compare import ComparedEntries
    from distillkit.bench.leaderboard._entry import LeaderboardEntry
    from distillkit.specs import PublishedResult

__all__ = ["PUBLISHED_COLUMNS", "match_published"]

PUBLISHED_COLUMNS = [
    "dataset", "budget", "method", "published_as", "preset", "metric", "published", "published_std", "published_n",
    "published_evaluator", "published_labels", "size_factor", "verified", "source", "protocol",
    "line_method", "evaluator", "label_mode", "measured", "ci_low", "ci_high",
    "difference", "tolerance", "verdict", "reason",
]  # fmt: skip

STAND_INS = {
    "cifar10-jpeg": ("cifar10", "original CIFAR-10"),
    "fashion-mnist-subset": ("fashion-mnist", "all of Fashion-MNIST"),
}
"""Datasets that resemble a published one, each with the name and the note of the latter."""


def match_published(published: Iterable[PublishedResult], comparisons: Sequence[ComparedEntries]) -> pd.DataFrame:
    """Return the published results for the datasets and budgets of the leaderboard's entries.

    A published result stands beside an entry if dataset, budget and metric are the same, if its
    method is the label or the registry name of the entry, with the same preset where it names one
    and the same stored size of a row, and if the evaluator of the entry is the network that the
    result was measured with. There is one row per such pair. A result that stands beside no entry
    has one row for each dataset, without measured values.

    The verdict is ``reproduced``, ``above`` or ``below`` by the spreads of both results (see
    `distillkit.bench.leaderboard._published_verdicts.verdict`), with the ``difference`` of the
    means and the ``tolerance`` within which they count as equal, or ``undecided`` if that is too
    wide to call them equal. It is ``other protocol`` if the
    data, the evaluator and its training recipe, the kind of labels or the stored size differ, and
    ``reason`` then says which. It is ``no interval`` or ``no published spread`` if one of the
    spreads is missing, as the measured one is for a single run, and ``not run`` without a measured
    value. For a verdict, ``reason`` says if the clock ended the distillation.
    """
    # Index the entries by what a result has to share with them, because there are many of both.
    entries: dict[tuple[str, str, str], list[tuple[LeaderboardEntry, ComparedEntries]]] = {}
    for comparison in comparisons:
        for entry in comparison.entries:
            for name in dict.fromkeys(_names(entry.cell)):
                entries.setdefault((name, entry.cell["budget"], entry.metric), []).append((entry, comparison))
    records = [
        record
        for result in published
        for record in _records(result, entries.get((result.dataset, result.budget, result.metric), ()))
    ]
    frame = pd.DataFrame(records, columns=PUBLISHED_COLUMNS)
    numbers = ("published", "published_std", "size_factor", "measured", "ci_low", "ci_high", "difference", "tolerance")
    types: dict[str, Any] = dict.fromkeys(numbers, float)
    return frame.astype(types | {"published_n": "Int64", "verified": "boolean"})


def _records(
    result: PublishedResult, comparable: Sequence[tuple[LeaderboardEntry, ComparedEntries]]
) -> list[dict[str, Any]]:
    """Return the rows of one published result, from the entries on its data, at its budget."""
    matches = [
        (entry, comparison)
        for entry, comparison in comparable
        if _same_method(result, entry.cell) and _concerns(result, entry.cell)
    ]
    if matches:
        return [_compared(result, entry, comparison) for entry, comparison in matches]
    return [_record(result, dataset) for dataset in dict.fromkeys(entry.cell["dataset"] for entry, _ in comparable)]


def _names(cell: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names under which results for the dataset of a cell may be published."""
    names = (cell["dataset"], cell.get("dataset_name") or cell["dataset"])
    return (*names, *(STAND_INS[name][0] for name in names if name in STAND_INS))


def _same_method(result: PublishedResult, cell: Mapping[str, Any]) -> bool:
    """Return whether a cell runs the method of a result, with its preset and stored size."""
    name = cell.get("method_name", cell["method"])
    soft = f"{result.method}-soft" if result.label_mode == "soft" else result.method  # the variant that learns labels
    if result.method != cell["method"] and name not in (result.method, soft):
        return False
    if result.preset is not None and result.preset != _preset(cell):
        return False
    return result.size_factor is None or abs(result.size_factor - stored_share(cell)) < 0.01


def _preset(cell: Mapping[str, Any]) -> str:
    """Return the preset of the method of a cell, or the empty string."""
    chosen = (cell.get("method_params") or {}).get("preset")
    return str(chosen) if chosen else str(cell["method"]).partition(":")[2].partition("(")[0]


def _concerns(result: PublishedResult, cell: Mapping[str, Any]) -> bool:
    """Return whether a result was measured with the network and the kind of labels of a cell.

    A result whose source states neither a judge nor labels, as plugins for earlier versions of the
    hook give it, stands beside every evaluator.
    """
    if result.label_mode and result.label_mode != cell.get("label_mode"):
        return False
    if result.judge is None:
        return True
    family = (result.judge or result.network or result.evaluator).lower()
    name = str(cell.get("evaluator_name", cell["evaluator"])).partition(":")[0]
    return is_judge(result.judge, cell) or family.partition(":")[0].startswith(name)


def _stand_in(result: PublishedResult, cell: Mapping[str, Any]) -> str:
    """Return a note on the published dataset if the measured one only resembles it."""
    for name in (cell.get("dataset_name") or cell["dataset"], cell["dataset"]):
        if name in STAND_INS and result.dataset == STAND_INS[name][0]:
            return f"the source has {STAND_INS[name][1]}"
    return ""


def _record(result: PublishedResult, dataset: str) -> dict[str, Any]:
    return {
        **dict.fromkeys(PUBLISHED_COLUMNS),
        "dataset": dataset,
        "budget": result.budget,
        "method": result.method,
        "published_as": result.label or result.method,
        "preset": result.preset,
        "metric": result.metric,
        "published": result.value,
        "published_std": result.std,
        "published_n": result.n,
        "published_evaluator": result.evaluator,
        "published_labels": result.label_mode or None,
        "size_factor": result.size_factor,
        "verified": result.verified,
        "source": result.source,
        "protocol": _described(result),
        "verdict": "not run",
    }


def _described(result: PublishedResult) -> str:
    """Describe the protocol of a result in words."""
    parts = [
        result.label if result.label and result.label != result.method else "",
        f"{result.label_mode} labels" if result.label_mode else "",
        f"augmentation: {result.augmentation}" if result.augmentation else "",
        f"{result.epochs:,} epochs" if result.epochs else "",
        result.protocol,
        result.note,
    ]
    return "; ".join(filter(None, parts))


def _compared(result: PublishedResult, entry: LeaderboardEntry, comparison: ComparedEntries) -> dict[str, Any]:
    """Return the row of a result and an entry, with the verdict."""
    cell, values = entry.cell, {"mean": entry.mean(), **comparison.interval(entry)}
    measured = {name: finite(values[name]) for name in ("mean", "ci_low", "ci_high")}
    record = _record(result, cell["dataset"]) | {
        "line_method": cell["method"],
        "evaluator": cell["evaluator"],
        "label_mode": cell["label_mode"],
        "measured": measured["mean"],
        "ci_low": measured["ci_low"],
        "ci_high": measured["ci_high"],
    }
    if measured["mean"] is None:
        return record
    several = entry.done > 1  # The interval of a single run covers the sampling of test rows alone.
    found = verdict(result, measured["mean"], *((measured["ci_low"], measured["ci_high"]) if several else (None, None)))
    reason = why_other_protocol(result, cell, _stand_in(result, cell))
    return record | {
        "difference": found.difference,
        "tolerance": None if reason else found.tolerance,
        "verdict": OTHER_PROTOCOL if reason else found.name,
        "reason": reason or _remark(entry),
    }


def _remark(entry: LeaderboardEntry) -> str:
    """Return what else bears on a verdict: a single run, or a distillation cut by the clock."""
    if entry.done < 2:
        return "one run, whose interval covers the test rows alone"
    cut = any(row.get("stopped_by") == "max_seconds" for row in entry.ok)
    return "max_seconds ended the distillation" if cut else ""
