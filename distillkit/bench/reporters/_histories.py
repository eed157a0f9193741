"""The histories of distillations that the rows of a leaderboard lead to, read from the records beside the artefacts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillkit.bench.leaderboard._panels import budget_order
from distillkit.bench.results._store import ResultsStore
from distillkit.plotting._history_data import clean_history

if TYPE_CHECKING:
    from distillkit.bench.leaderboard import Leaderboard

__all__ = ["RunHistory", "find_histories"]

_KEPT = {"history": "", "teacher_history": "teacher's "}


@dataclass(frozen=True)
class RunHistory:
    """What one distillation recorded.

    Parameters
    ----------
    dataset, method, budget : str
    seed : int
        Of the distillation.
    whose : str
        Put before the names of its series: empty for the method's own history.
    steps : list of dict
        See `distillkit.plotting._history_data.clean_history`.
    """

    dataset: str
    method: str
    budget: str
    seed: int
    whose: str
    steps: list[dict[str, Any]]


def find_histories(leaderboard: Leaderboard) -> list[RunHistory]:
    """Return the histories by dataset, budget, method and seed, each distillation's once.

    Records made before histories were kept, lost and damaged ones have none, and cost nothing else.
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
        RunHistory(dataset, method, budget, seed, whose, steps)
        for dataset, method, budget, seed in order
        for whose, steps in _read(store.artefact_path(keys[dataset, method, budget, seed]).with_suffix(".json"))
    ]


def _read(path: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        kept = {whose: record.get(name) for name, whose in _KEPT.items()}
    except (OSError, ValueError, AttributeError):
        return []
    cleaned = {whose: clean_history(steps) for whose, steps in kept.items() if isinstance(steps, list)}
    return [(whose, steps) for whose, steps in cleaned.items() if steps]
