"""How well distilled sets serve other models: the mean and the worst score over evaluators."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distillkit.bench.leaderboard._compare import ComparedEntries

__all__ = ["COLUMNS", "across_evaluators"]

COLUMNS = [
    "dataset",
    "task",
    "label_mode",
    "metric",
    "budget",
    "method",
    "mean",
    "worst",
    "worst_evaluator",
    "evaluators",
]


def across_evaluators(comparisons: Sequence[ComparedEntries]) -> pd.DataFrame:
    """Return the mean and the worst score of each method over the evaluators of a dataset.

    Parameters
    ----------
    comparisons : sequence of ComparedEntries

    Returns
    -------
    DataFrame
        One row per dataset, kind of labels, budget and method that has a complete value with every
        evaluator, of which there are at least two: ``mean`` and ``worst`` of the primary metric,
        the ``worst_evaluator``, and the number of ``evaluators``. The best mean comes first.
    """
    groups: dict[tuple[Any, ...], list[ComparedEntries]] = {}
    for comparison in comparisons:
        cell = comparison.entries[0].cell
        key = (cell["dataset"], cell["task"], cell["label_mode"], comparison.metric, cell["budget"])
        groups.setdefault(key, []).append(comparison)
    records = [record for key, group in groups.items() if len(group) > 1 for record in _records(key, group)]
    return pd.DataFrame(records, columns=COLUMNS)


def _records(key: tuple[Any, ...], group: Sequence[ComparedEntries]) -> list[tuple[Any, ...]]:
    sign = group[0].sign
    scores: dict[str, dict[str, float]] = {}
    for comparison in group:
        for entry in comparison.entries:
            mean = entry.mean()
            if mean is not None and entry.complete:
                scores.setdefault(entry.cell["method"], {})[entry.cell["evaluator"]] = mean
    records = []
    for method, by_evaluator in scores.items():
        if len(by_evaluator) == len(group):
            worst = min(by_evaluator, key=lambda name: sign * by_evaluator[name])
            records.append((*key, method, fmean(by_evaluator.values()), by_evaluator[worst], worst, len(group)))
    return sorted(records, key=lambda record: (-sign * record[len(key) + 1], record[len(key)]))
