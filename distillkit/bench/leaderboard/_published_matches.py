"""Published figures beside the measured ones, with what may be concluded from each."""

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
    "dataset", "budget", "method", "metric", "published", "published_std", "published_n", "published_evaluator", "source", "protocol",
    "line_method", "evaluator", "label_mode", "measured", "ci_low", "ci_high", "verdict",
]  # fmt: skip

STAND_INS = {"cifar10-jpeg": ("cifar10", "original CIFAR-10")}
"""Datasets whose rows are those of another up to their coding; figures for it are shown with a note."""


def match_published(published: Iterable[PublishedResult], lines: Sequence[LeaderboardEntry]) -> pd.DataFrame:
    """Return published figures for the datasets and budgets of `lines`, one row per figure and measured line.

    A figure belongs to a line if its method is the line's label or registry name, and dataset, budget and metric are
    the same. A figure for a dataset and budget of the leaderboard whose method was not run has one row without
    measured values.

    The verdict is ``reproduced``, ``above`` or ``below`` (the published value against the measured interval) only
    where the evaluator is the same and no difference of protocol is noted; else ``other protocol``.
    """
    records = [record for figure in published for record in _records(figure, lines)]
    frame = pd.DataFrame(records, columns=PUBLISHED_COLUMNS)
    numbers = ["published", "published_std", "measured", "ci_low", "ci_high"]
    return frame.astype(dict.fromkeys(numbers, float) | {"published_n": "Int64"})


def _records(figure: PublishedResult, lines: Sequence[LeaderboardEntry]) -> list[dict[str, Any]]:
    near = [line for line in lines if _same_data(figure, line) and line.metric == figure.metric]
    own = [line for line in near if figure.method in (line.cell["method"], line.cell.get("method_name"))]
    if own:
        return [_record(figure, line.cell["dataset"], line) for line in own]
    return [_record(figure, dataset, None) for dataset in dict.fromkeys(line.cell["dataset"] for line in near)]


def _names(line: LeaderboardEntry) -> tuple[str, ...]:
    names = (line.cell["dataset"], line.cell.get("dataset_name") or line.cell["dataset"])
    return (*names, *(STAND_INS[name][0] for name in names if name in STAND_INS))


def _same_data(figure: PublishedResult, line: LeaderboardEntry) -> bool:
    return figure.budget == line.cell["budget"] and figure.dataset in _names(line)


def _record(figure: PublishedResult, dataset: str, line: LeaderboardEntry | None) -> dict[str, Any]:
    notes = [figure.protocol] if figure.protocol else []
    stand_in = STAND_INS.get((line.cell.get("dataset_name") if line else None) or dataset)
    if stand_in is not None and figure.dataset == stand_in[0]:
        notes.append(stand_in[1])
    protocol = "; ".join(notes)
    record: dict[str, Any] = {
        "dataset": dataset, "budget": figure.budget, "method": figure.method, "metric": figure.metric, "published": figure.value,
        "published_std": figure.std, "published_n": figure.n, "published_evaluator": figure.evaluator, "source": figure.source,
        "protocol": protocol, "line_method": None, "evaluator": None, "label_mode": None, "measured": None, "ci_low": None,
        "ci_high": None, "verdict": "not run",
    }  # fmt: skip
    if line is None:
        return record
    low, high = t_interval(line.seed_means()) or (None, None)
    same = not protocol and figure.evaluator in (line.cell["evaluator"], line.cell.get("evaluator_name"))
    record |= {name: line.cell[name] for name in ("evaluator", "label_mode")} | {"line_method": line.cell["method"]}
    return record | {
        "measured": line.mean(),
        "ci_low": low,
        "ci_high": high,
        "verdict": _verdict(figure.value, low, high, same),
    }


def _verdict(value: float, low: float | None, high: float | None, same_protocol: bool) -> str:
    if not same_protocol:
        return "other protocol"
    if low is None or high is None:
        return "no interval"
    if low <= value <= high:
        return "reproduced"
    return "above" if low > value else "below"
