"""Groups that share a budget, and the order in which their picks come back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from distillkit.base import Group
from distillkit.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distillkit.base import TrainingRows

__all__ = ["class_codes", "interleave", "refuse_regression", "stratified"]

_BINS = 10


def stratified(rows: TrainingRows) -> TrainingRows:
    """Return the rows with up to ten quantile bins of a continuous target as groups, each with its part of the budget.

    Classes stay as they are.
    """
    if rows.task != "regression" or rows.y is None:
        return rows
    (group,) = rows.groups
    parts = np.array_split(group.rows[np.argsort(rows.y[group.rows], kind="stable")], min(_BINS, group.size))
    base, rest = divmod(group.size, len(parts))
    # array_split makes the first parts the larger ones, so what is left over fits where it goes
    sizes = [base + (place < rest) for place in range(len(parts))]
    groups = tuple(Group(None, np.sort(part), size) for part, size in zip(parts, sizes, strict=True))
    return replace(rows, groups=groups)


def interleave(sizes: Sequence[int]) -> np.ndarray:
    """Order the picks of all groups by their share of their group's budget: one of each in turn for equal budgets.

    Parameters
    ----------
    sizes : sequence of int
        Picks of each group; picks are numbered group by group.

    Returns
    -------
    ndarray of shape (sum(sizes),)
        With it every prefix is a smaller coreset over all groups.
    """
    share = np.concatenate([np.arange(size) / size for size in sizes])
    return np.argsort(share, kind="stable")


def class_codes(rows: TrainingRows) -> np.ndarray:
    """Return the number of each row's class, shape (n,)."""
    codes = np.empty(len(rows.X), dtype=np.intp)
    for number, group in enumerate(rows.groups):
        codes[group.rows] = number
    return codes


def refuse_regression(rows: TrainingRows, method: str, remedy: str) -> None:
    """Refuse a continuous target.

    Raises
    ------
    DataError
        If the task is regression; `remedy` says what to take instead.
    """
    if rows.task == "regression":
        raise DataError(f"{method} needs classes, but y is a continuous target: {remedy}.")
