"""Matches published results with measured ones and compares the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from distillkit.bench.leaderboard._stats import t_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from distillkit.bench.leaderboard._entry import LeaderboardEntry
    from distillkit.specs import PublishedResult

__all__ = ["PUBLISHED_COLUMNS", "match_published"]

PUBLISHED_COLUMNS = [
    "dataset", "budget", "method", "metric", "published", "published_std", "published_n",
    "published_evaluator", "source", "protocol",
    "line_method", "evaluator", "label_mode", "measured", "ci_low", "ci_high", "verdict",
]  # fmt: skip

STAND_INS = {"cifar10-jpeg": ("cifar10", "original CIFAR-10")}
"""Re-encoded datasets, each with the name and the note of the dataset whose results are shown."""


def match_published(published: Iterable[PublishedResult], entries: Sequence[LeaderboardEntry]) -> pd.DataFrame:
    """Return the published results for the datasets and budgets of the leaderboard's entries.

    A published result matches an entry if its method is the label or the registry name of the
    entry, and dataset, budget and metric are the same. There is one row per match. A result for a
    dataset and budget of the leaderboard whose method was not run has one row without measured
    values.

    The verdict compares the measured interval with the published value: ``reproduced``, ``above``
    or ``below``. It is ``other protocol`` if the evaluators differ or a difference of protocol is
    noted, ``no interval`` if there are too few seeds, and ``not run`` without a measured value.
    """
    records = [record for result in published for record in _records(result, entries)]
    frame = pd.DataFrame(records, columns=PUBLISHED_COLUMNS)
    numbers = ["published", "published_std", "measured", "ci_low", "ci_high"]
    return frame.astype(dict.fromkeys(numbers, float) | {"published_n": "Int64"})


def _records(result: PublishedResult, entries: Sequence[LeaderboardEntry]) -> list[dict[str, Any]]:
    """Return the rows of one published result."""
    comparable = [entry for entry in entries if _same_data(result, entry) and entry.metric == result.metric]
    matches = [entry for entry in comparable if result.method in (entry.cell["method"], entry.cell.get("method_name"))]
    if matches:
        return [_record(result, entry.cell["dataset"], entry) for entry in matches]
    return [_record(result, dataset, None) for dataset in dict.fromkeys(entry.cell["dataset"] for entry in comparable)]


def _names(entry: LeaderboardEntry) -> tuple[str, ...]:
    """Return the names under which results for the dataset of an entry may be published."""
    names = (entry.cell["dataset"], entry.cell.get("dataset_name") or entry.cell["dataset"])
    return (*names, *(STAND_INS[name][0] for name in names if name in STAND_INS))


def _same_data(result: PublishedResult, entry: LeaderboardEntry) -> bool:
    return result.budget == entry.cell["budget"] and result.dataset in _names(entry)


def _record(result: PublishedResult, dataset: str, entry: LeaderboardEntry | None) -> dict[str, Any]:
    # 1. Note how the published protocol and dataset differ from ours.
    notes = [result.protocol] if result.protocol else []
    stand_in = STAND_INS.get((entry.cell.get("dataset_name") if entry else None) or dataset)
    if stand_in is not None and result.dataset == stand_in[0]:
        notes.append(stand_in[1])
    protocol = "; ".join(notes)
    record: dict[str, Any] = {
        "dataset": dataset,
        "budget": result.budget,
        "method": result.method,
        "metric": result.metric,
        "published": result.value,
        "published_std": result.std,
        "published_n": result.n,
        "published_evaluator": result.evaluator,
        "source": result.source,
        "protocol": protocol,
        "line_method": None,
        "evaluator": None,
        "label_mode": None,
        "measured": None,
        "ci_low": None,
        "ci_high": None,
        "verdict": "not run",
    }
    if entry is None:
        return record
    # 2. Add the measured values and the verdict.
    low, high = t_interval(entry.seed_means()) or (None, None)
    same = not protocol and result.evaluator in (entry.cell["evaluator"], entry.cell.get("evaluator_name"))
    record |= {name: entry.cell[name] for name in ("evaluator", "label_mode")} | {"line_method": entry.cell["method"]}
    return record | {
        "measured": entry.mean(),
        "ci_low": low,
        "ci_high": high,
        "verdict": _verdict(result.value, low, high, same),
    }


def _verdict(value: float, low: float | None, high: float | None, same_protocol: bool) -> str:
    if not same_protocol:
        return "other protocol"
    if low is None or high is None:
        return "no interval"
    if low <= value <= high:
        return "reproduced"
    return "above" if low > value else "below"
