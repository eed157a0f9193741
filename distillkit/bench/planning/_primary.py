"""The primary metric, by which methods are ranked, where a suite does not name it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from distillkit.bench.planning._suite import DEFAULT_PRIMARY

__all__ = ["BALANCED", "DEFAULT_METRICS", "UNEVEN", "primary_metric", "with_primary"]

UNEVEN = 1.5
"""Ratio of the largest class of the training rows to the smallest from which classes are uneven."""

BALANCED = "balanced-accuracy"

DEFAULT_METRICS = {task: (metric,) for task, metric in DEFAULT_PRIMARY.items()} | {
    "classification": (DEFAULT_PRIMARY["classification"], BALANCED)
}
"""The metrics per task of which one may be primary."""


def primary_metric(task: str, class_counts: Sequence[int] | None) -> str:
    """Return the metric that suits a dataset.

    Parameters
    ----------
    task : {"classification", "regression"}
    class_counts : sequence of int or None
        Number of training rows of each class; None if this is not known.

    Returns
    -------
    str
        ``"r2"`` for regression. For classification, ``"balanced-accuracy"``, the mean of the
        accuracies of all classes, if the largest class has more than 1.5 times the rows of the
        smallest, since plain accuracy would count the large classes most. Otherwise ``"accuracy"``.
    """
    counts = [count for count in class_counts or () if count > 0]
    if task == "classification" and counts and max(counts) > UNEVEN * min(counts):
        return BALANCED
    return DEFAULT_PRIMARY[task]


def with_primary(cell: dict[str, Any], facts: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a planned cell with its primary metric, by the facts of its prepared data.

    Parameters
    ----------
    cell : dict
        A cell of a plan; a primary metric that the suite names stays.
    facts : mapping or None
        What `distillkit.bench.results._store.ResultsStore.targets` returns; the cell stays as it is
        without facts.
    """
    if cell.get("primary") or facts is None:
        return cell
    return {**cell, "primary": primary_metric(cell["task"], facts.get("class_counts"))}
