"""What the columns of a table can hold: levels, one-hot blocks, whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Columns"]

_MAX_LEVELS = 10


@dataclass(frozen=True, eq=False)
class Columns:
    """Kinds of columns, told from the training rows.

    Parameters
    ----------
    levels : dict of int to ndarray
        Sorted values of the columns that hold at most ten different ones; no other values are made.
    blocks : tuple of ndarray
        Neighbouring columns of 0 and 1 of which exactly one is 1 in every row: a category that was one-hot encoded.
    whole : ndarray of shape (d,), bool
        Columns of more levels that hold whole numbers only; made values are rounded.
    """

    levels: dict[int, np.ndarray]
    blocks: tuple[np.ndarray, ...]
    whole: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Columns:
        """Tell the kinds from rows (n, d)."""
        levels = {}
        for column in range(X.shape[1]):
            values = _few_levels(X[:, column])
            if values is not None:
                levels[column] = values.astype(np.float64)
        whole = np.array([column not in levels and _is_whole(X[:, column]) for column in range(X.shape[1])], dtype=bool)
        binary = [column for column, values in levels.items() if values.tolist() == [0, 1]]
        return cls(levels, tuple(_one_hot_blocks(X, binary)), whole)

    @property
    def loose(self) -> dict[int, np.ndarray]:
        """Levels of the columns that are in no block."""
        bound = {int(column) for block in self.blocks for column in block}
        return {column: values for column, values in self.levels.items() if column not in bound}

    def snapped(self, X: np.ndarray) -> np.ndarray:
        """Return rows (n, d) with values as the training rows have them: levels, one 1 per block, whole numbers."""
        X = np.where(self.whole, np.rint(X), X)
        for block in self.blocks:
            X[:, block] = np.eye(len(block))[X[:, block].argmax(axis=1)]
        for column, values in self.loose.items():
            middles = (values[1:] + values[:-1]) / 2
            X[:, column] = values[np.searchsorted(middles, X[:, column])]
        return X


def _few_levels(column: np.ndarray) -> np.ndarray | None:
    """Return the values of a column, or None where there are more than ten; a glance at some rows spares most of the sorting."""
    if len(np.unique(column[:1000])) > _MAX_LEVELS:
        return None
    values = np.unique(column)
    return values if len(values) <= _MAX_LEVELS else None


def _is_whole(column: np.ndarray) -> bool:
    return bool((column == np.rint(column)).all())


def _one_hot_blocks(X: np.ndarray, binary: list[int]) -> list[np.ndarray]:
    """Find runs of neighbouring columns, at least two, that sum to 1 in every row."""
    blocks, start = [], 0
    while start < len(binary):
        total, stop = np.zeros(len(X)), start
        while (
            stop < len(binary) and binary[stop] - binary[start] == stop - start and total.max() <= 1 and total.min() < 1
        ):
            total += X[:, binary[stop]]
            stop += 1
        if stop - start > 1 and (total == 1).all():
            blocks.append(np.array(binary[start:stop]))
            start = stop
        else:
            start += 1
    return blocks
