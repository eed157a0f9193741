"""A check of the arguments of metrics that compare a distilled set with training rows."""

from __future__ import annotations

from typing import Any

from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError

__all__ = ["check_set"]


def check_set(X: Any, distilled: Any) -> None:
    """Raise an error about arguments in another order, or a method in place of its result.

    Raises
    ------
    DataError
        If `distilled` is no distilled set.
    """
    if isinstance(distilled, DistilledSet):
        return
    if isinstance(X, DistilledSet):
        remedy = "give the training rows first: metric(X, y, distilled)"
    elif hasattr(distilled, "distilled_"):
        remedy = "give its attribute distilled_"
    else:
        remedy = "give the distilled_ of a fitted method, or DistilledSet(X=..., y=..., sample_weight=...)"
    raise DataError(f"distilled must be a DistilledSet, but it is a {type(distilled).__name__}: {remedy}.")
