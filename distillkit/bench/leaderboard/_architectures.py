"""How well distilled sets serve other models: scores and their order over the evaluators."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pandas as pd
from scipy.stats import kendalltau

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distillkit.bench.leaderboard._compare import ComparedEntries

__all__ = ["COLUMNS", "across_evaluators"]

_FEWEST = 3  # evaluators that have an order worth comparing
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
    "selection_correlation",
]


def across_evaluators(comparisons: Sequence[ComparedEntries]) -> pd.DataFrame:
    """Return how well the rows of each method serve all evaluators of a dataset.

    Parameters
    ----------
    comparisons : sequence of ComparedEntries

    Returns
    -------
    DataFrame
        One row per dataset, kind of labels, budget and method that has a complete value with every
        evaluator, of which there are at least two: ``mean`` and ``worst`` of the primary metric,
        the ``worst_evaluator``, the number of ``evaluators``, and ``selection_correlation``,
        Kendall's tau-b of the scores of the evaluators with those after training on all rows; see
        `distillkit.metrics.selection_correlation`. It is None with fewer than three evaluators,
        where all scores are equal, and without results of the whole set. The best mean comes first.
    """
    whole = {
        (*_kind(entry.cell), entry.cell["evaluator"]): mean
        for comparison in comparisons
        for entry in comparison.entries
        if entry.is_whole and (mean := entry.mean()) is not None
    }
    groups: dict[tuple[Any, ...], list[ComparedEntries]] = {}
    for comparison in comparisons:
        cell = comparison.entries[0].cell
        key = (*_kind(cell), comparison.metric, cell["budget"])
        groups.setdefault(key, []).append(comparison)
    records = [record for key, group in groups.items() if len(group) > 1 for record in _records(key, group, whole)]
    return pd.DataFrame(records, columns=COLUMNS)


def _kind(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    return (cell["dataset"], cell["task"], cell["label_mode"])


def _records(
    key: tuple[Any, ...], group: Sequence[ComparedEntries], whole: Mapping[tuple[Any, ...], float]
) -> list[tuple[Any, ...]]:
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
            record = (*key, method, fmean(by_evaluator.values()), by_evaluator[worst], worst, len(group))
            references = {name: whole[*key[:3], name] for name in by_evaluator if (*key[:3], name) in whole}
            records.append((*record, _selection(by_evaluator, references)))
    return sorted(records, key=lambda record: (-sign * record[len(key) + 1], record[len(key)]))


def _selection(scores: Mapping[str, float], whole: Mapping[str, float]) -> float | None:
    """Return Kendall's tau-b of two scores of the same evaluators, or None if there is none."""
    if len(whole) < _FEWEST:
        return None
    value = float(kendalltau([scores[name] for name in whole], list(whole.values())).statistic)
    return None if math.isnan(value) else value  # all scores of one side are equal
