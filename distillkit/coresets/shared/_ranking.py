"""Ranking of the rows of several groups, and division of a continuous target into groups."""

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
    """Return the rows with up to ten quantile bins of a continuous target as their groups.

    Each bin gets its part of the budget. Classes stay as they are.
    """
    if rows.task != "regression" or rows.y is None:
        return rows
    (group,) = rows.groups
    parts = np.array_split(group.rows[np.argsort(rows.y[group.rows], kind="stable")], min(_BINS, group.size))
    base, rest = divmod(group.size, len(parts))
    # The remainder goes to the first bins, which array_split makes the larger ones.
    sizes = [base + (i < rest) for i in range(len(parts))]
    groups = tuple(Group(None, np.sort(part), size) for part, size in zip(parts, sizes, strict=True))
    return replace(rows, groups=groups)


def interleave(sizes: Sequence[int]) -> np.ndarray:
    """Order the selected rows of all groups by their relative rank within their group.

    For equal budgets this takes one row of each group in turn. Every prefix of the order is a
    smaller coreset over all groups.

    Parameters
    ----------
    sizes : sequence of int
        Number of selected rows of each group. Rows are numbered group by group, in ranking order.

    Returns
    -------
    ndarray of shape (sum(sizes),)
        Numbers of the rows in the joint order.
    """
    share = np.concatenate([np.arange(size) / size for size in sizes])
    return np.argsort(share, kind="stable")


def class_codes(rows: TrainingRows) -> np.ndarray:
    """Return the number of the class of each row, shape (n,)."""
    codes = np.empty(len(rows.X), dtype=np.intp)
    for code, group in enumerate(rows.groups):
        codes[group.rows] = code
    return codes


def refuse_regression(rows: TrainingRows, method: str, remedy: str) -> None:
    """Raise an error for a continuous target.

    Raises
    ------
    DataError
        If the task is regression; `remedy` names the alternative.
    """
    if rows.task == "regression":
        raise DataError(f"{method} needs classes, but y is a continuous target: {remedy}.")
