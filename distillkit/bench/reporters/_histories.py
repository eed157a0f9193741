"""Reads the training histories of distillations from the records beside their artefacts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillkit.bench.leaderboard._panels import budget_order
from distillkit.bench.results._store import ResultsStore
from distillkit.plotting._history_data import clean_history

if TYPE_CHECKING:
    from distillkit.bench.leaderboard import LeaderboardData

__all__ = ["RunHistory", "find_histories"]

_PREFIXES = {"history": "", "teacher_history": "teacher's "}
"""Prefix of the names of series, by the key of the history in a record."""


@dataclass(frozen=True)
class RunHistory:
    """The training history of one distillation.

    Parameters
    ----------
    dataset, method, budget : str
        What was distilled, with which method and to which size.
    seed : int
        Distillation seed.
    prefix : str
        Prefix of the names of the series; empty for the history of the method itself.
    steps : list of dict
        See `distillkit.plotting._history_data.clean_history`.
    """

    dataset: str
    method: str
    budget: str
    seed: int
    prefix: str
    steps: list[dict[str, Any]]


def find_histories(leaderboard: LeaderboardData) -> list[RunHistory]:
    """Return the history of each distillation, ordered by dataset, budget, method and seed.

    Records that are missing or damaged, or that were written before histories were stored, are
    left out.
    """
    if leaderboard.folder is None:
        return []
    keys: dict[tuple[str, str, str, int], str] = {}
    for row in leaderboard.rows:
        if row.get("distil_key"):
            keys.setdefault((row["dataset"], row["method"], row["budget"], row["distil_seed"]), str(row["distil_key"]))
    datasets, methods = (list(dict.fromkeys(key[i] for key in keys)) for i in (0, 1))
    order = sorted(keys, key=lambda k: (datasets.index(k[0]), budget_order(k[2]), methods.index(k[1]), k[3]))
    store = ResultsStore(leaderboard.folder)
    return [
        RunHistory(dataset, method, budget, seed, prefix, steps)
        for dataset, method, budget, seed in order
        for prefix, steps in _read(store.artefact_path(keys[dataset, method, budget, seed]).with_suffix(".json"))
    ]


def _read(path: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        histories = {prefix: record.get(name) for name, prefix in _PREFIXES.items()}
    except (OSError, ValueError, AttributeError):
        return []
    cleaned = {prefix: clean_history(steps) for prefix, steps in histories.items() if isinstance(steps, list)}
    return [(prefix, steps) for prefix, steps in cleaned.items() if steps]
