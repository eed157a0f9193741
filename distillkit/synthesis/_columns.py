"""The kinds of table columns that need exact values: levels, one-hot blocks and whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Columns"]

_MAX_LEVELS = 10


@dataclass(frozen=True, eq=False)
class Columns:
    """The kinds of the columns of a table, inferred from the training rows.

    Parameters
    ----------
    levels : dict of int to ndarray
        Sorted values of each column with at most ten different ones; generated rows take no other
        values.
    blocks : tuple of ndarray
        Positions of adjacent columns of 0 and 1 of which exactly one is 1 in every row, which is
        the one-hot encoding of a category.
    whole : ndarray of shape (d,), bool
        Whether a column with more levels holds whole numbers only; generated values are rounded.
    """

    levels: dict[int, np.ndarray]
    blocks: tuple[np.ndarray, ...]
    whole: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Columns:
        """Infer the kinds from rows (n, d)."""
        levels = {}
        for column in range(X.shape[1]):
            values = _few_levels(X[:, column])
            if values is not None:
                levels[column] = values.astype(np.float64)
        whole = np.array([column not in levels and _is_whole(X[:, column]) for column in range(X.shape[1])], dtype=bool)
        binary = [column for column, values in levels.items() if values.tolist() == [0, 1]]
        return cls(levels, tuple(_one_hot_blocks(X, binary)), whole)

    def to_state(self) -> dict[str, Any]:
        """Return the kinds as plain values for JSON."""
        return {
            "levels": {str(column): values.tolist() for column, values in self.levels.items()},
            "blocks": [block.tolist() for block in self.blocks],
            "whole": self.whole.tolist(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Columns:
        """Return the kinds that `to_state` described."""
        levels = {int(column): np.array(values, dtype=np.float64) for column, values in state["levels"].items()}
        return cls(levels, tuple(map(np.array, state["blocks"])), np.array(state["whole"], dtype=bool))

    @property
    def free_levels(self) -> dict[int, np.ndarray]:
        """Levels of the columns that are in no one-hot block."""
        in_blocks = {int(column) for block in self.blocks for column in block}
        return {column: values for column, values in self.levels.items() if column not in in_blocks}

    def snap(self, X: np.ndarray) -> np.ndarray:
        """Return rows (n, d) with each value replaced by the nearest that its column can hold.

        Whole numbers are rounded, each one-hot block has a single 1 at its largest value, and
        columns of few levels take the nearest level.
        """
        X = np.where(self.whole, np.rint(X), X)
        for block in self.blocks:
            X[:, block] = np.eye(len(block))[X[:, block].argmax(axis=1)]
        for column, values in self.free_levels.items():
            boundaries = (values[1:] + values[:-1]) / 2
            X[:, column] = values[np.searchsorted(boundaries, X[:, column])]
        return X


def _few_levels(column: np.ndarray) -> np.ndarray | None:
    """Return the sorted values of a column, or None if there are more than ten.

    Most columns with many values are recognized by their first rows, without sorting all of them.
    """
    if len(np.unique(column[:1000])) > _MAX_LEVELS:
        return None
    values = np.unique(column)
    return values if len(values) <= _MAX_LEVELS else None


def _is_whole(column: np.ndarray) -> bool:
    return bool((column == np.rint(column)).all())


def _one_hot_blocks(X: np.ndarray, binary: list[int]) -> list[np.ndarray]:
    """Find runs of at least two adjacent columns that sum to 1 in every row.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    binary : list of int
        Columns that hold 0 and 1 only, ascending.
    """
    blocks, start = [], 0
    while start < len(binary):
        # 1. Extend the run by adjacent columns until every row has its 1.
        total, stop = np.zeros(len(X)), start
        while (
            stop < len(binary) and binary[stop] - binary[start] == stop - start and total.max() <= 1 and total.min() < 1
        ):
            total += X[:, binary[stop]]
            stop += 1
        # 2. Accept the run, or try again from the next column.
        if stop - start > 1 and (total == 1).all():
            blocks.append(np.array(binary[start:stop]))
            start = stop
        else:
            start += 1
    return blocks
