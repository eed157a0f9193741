"""Made rows on their way to the user: their numbers and, of a frame, the values of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from distillkit.tables._reading import Labels, Numbers, Times, Values

__all__ = ["Batch"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Made rows with their labels.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Encoded rows of a mixed table, or the rows themselves.
    y : ndarray of shape (n,) or None
    values : list of Numbers, Times and Labels, or None
        The columns of a frame.
    """

    X: np.ndarray
    y: np.ndarray | None
    values: list[Values] | None = None

    def take(self, rows: np.ndarray) -> Batch:
        """Return some of the rows, by position."""
        values = None if self.values is None else [_take(column, rows) for column in self.values]
        return Batch(self.X[rows], None if self.y is None else self.y[rows], values)

    @classmethod
    def join(cls, batches: list[Self]) -> Self:
        """Return the rows of several batches, one after another."""
        X = np.concatenate([batch.X for batch in batches])
        labels = [batch.y for batch in batches if batch.y is not None]
        columns = [batch.values for batch in batches if batch.values is not None]
        values = [_join(list(parts)) for parts in zip(*columns, strict=True)] if columns else None
        return cls(X, np.concatenate(labels) if labels else None, values)


def _take(values: Values, rows: np.ndarray) -> Values:
    if isinstance(values, Labels):
        return Labels(values.codes[rows], values.levels)
    if isinstance(values, Times):
        return Times(values.data[rows], values.is_date)
    return Numbers(values.data[rows], values.is_boolean, values.is_integer, values.bounds)


def _join(parts: list[Values]) -> Values:
    first = parts[0]
    if isinstance(first, Labels):
        labels = [part for part in parts if isinstance(part, Labels)]
        if all(part.levels == first.levels for part in labels):
            return Labels(np.concatenate([part.codes for part in labels]), first.levels)
        # Numbers and dates as text have other levels in each part.
        offsets = np.cumsum([0, *(len(part.levels) for part in labels)])[:-1]
        codes = [np.where(part.codes < 0, -1, part.codes + shift) for part, shift in zip(labels, offsets, strict=True)]
        return Labels(np.concatenate(codes), [level for part in labels for level in part.levels])
    data = np.concatenate([part.data for part in parts if not isinstance(part, Labels)])
    if isinstance(first, Times):
        return Times(data, first.is_date)
    return Numbers(data, first.is_boolean, first.is_integer, first.bounds)
