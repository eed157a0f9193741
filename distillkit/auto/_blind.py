"""The choice where nothing can be measured: without a target, validation rows or time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from distillkit.advice import Situation
from distillkit.auto._contender import Contender
from distillkit.auto._source import Source

__all__ = ["NO_CLASSES", "NO_ROWS", "NO_TARGET", "NO_TIME", "blind_order", "unmeasured"]

NO_TARGET = "There is no target by which methods could be compared, so that the rules alone choose."
NO_CLASSES = "The target has a single class, so that there is nothing to compare methods by, and the rules choose."
NO_ROWS = "No rows are left for validation beside those of the budget, so that the rules alone choose."
NO_TIME = "The time was over before methods could be compared, so that the one of least cost is taken."


def unmeasured(source: Source, *, seconds: float | None, privacy: bool, gradients: bool) -> Situation:
    """Return the situation of data that no judge was trained on."""
    shape: Any = source.X.shape
    counts = list(source.quotas) if source.task == "classification" else []
    return Situation(
        n_rows=source.n_rows,
        n_features=math.prod(shape[1:]),
        modality=source.modality,
        task=source.task or "classification",
        n_classes=len(counts),
        budget_rows=source.total,
        score_all=math.nan,
        score_random=math.nan,
        seconds=seconds,
        privacy=privacy,
        gradients=gradients,
    )


def blind_order(contenders: Sequence[Contender], *, cheapest: bool) -> list[Contender]:
    """Return the eligible candidates in the order in which they are tried.

    Parameters
    ----------
    contenders : sequence of Contender
        Controls first, then the first by the rules first.
    cheapest : bool
        Whether controls stay first; otherwise the order is that of the rules.
    """
    eligible = [one for one in contenders if one.eligible]
    if cheapest:
        return eligible
    return sorted(eligible, key=lambda one: (-one.judged.points, one.simplicity))
