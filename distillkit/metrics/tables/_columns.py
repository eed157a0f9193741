"""The columns of a table, as numbers and as levels, from encoded rows and their target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._sides import Sides, require_axes
from distillkit.tables._columns import BooleanColumn

if TYPE_CHECKING:
    from distillkit.tables import TableEncoder

__all__ = ["Layout", "TableColumns", "table_columns"]


@dataclass(frozen=True)
class TableColumns:
    """Rows of a table, with numbers and levels apart.

    Parameters
    ----------
    numbers : ndarray of shape (n, a)
    levels : ndarray of shape (n, b), int
        Positions of the levels of each column.
    """

    numbers: np.ndarray
    levels: np.ndarray

    def take(self, rows: np.ndarray) -> TableColumns:
        """Return some of the rows."""
        return TableColumns(self.numbers[rows], self.levels[rows])


@dataclass(frozen=True)
class Layout:
    """Where the numbers and the levels are in encoded rows.

    Parameters
    ----------
    numbers : tuple of int
        Positions of the columns that hold numbers.
    pairs : tuple of (int, float, float)
        Position of each column of two values, and these values.
    blocks : tuple of (int, int)
        Start and end of the one-hot columns of each category.
    """

    numbers: tuple[int, ...]
    pairs: tuple[tuple[int, float, float], ...]
    blocks: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of_array(cls, rows: np.ndarray) -> Layout:
        """Return the layout of numbers: a column of at most two different values has levels."""
        low, high = rows.min(axis=0), rows.max(axis=0)
        two = ((rows == low) | (rows == high)).all(axis=0)
        pairs = tuple((int(place), float(low[place]), float(high[place])) for place in np.flatnonzero(two))
        return cls(tuple(np.flatnonzero(~two).tolist()), pairs)

    @classmethod
    def of_encoder(cls, encoder: TableEncoder) -> Layout:
        """Return the layout of the rows that an encoder of mixed tables has made."""
        numbers, pairs, blocks, start = [], [], [], 0
        for column in encoder.columns_:
            stop = start + len(column.parts)
            if column.kind == "category":
                blocks.append((start, stop))
            else:
                for place, part in enumerate(column.parts, start):
                    if part:  # the mark of gaps
                        pairs.append((place, 0.0, 1.0))
                    elif isinstance(column, BooleanColumn):
                        pairs.append((place, 0.0, float(column.step)))
                    else:
                        numbers.append(place)
            start = stop
        return cls(tuple(numbers), tuple(pairs), tuple(blocks))

    def read(self, rows: np.ndarray, y: np.ndarray | None, *, has_classes: bool) -> TableColumns:
        """Return the columns of encoded rows, with the target as the last one.

        Distilled rows may lie between two levels; the nearest one counts.
        """
        numbers = rows[:, list(self.numbers)].astype(np.float64)
        levels = [rows[:, place] > (low + high) / 2 for place, low, high in self.pairs]
        levels += [rows[:, start:stop].argmax(axis=1) for start, stop in self.blocks if stop > start]
        if y is not None and has_classes:
            levels.append(y)
        elif y is not None:
            numbers = np.column_stack([numbers, y])
        stacked = np.column_stack(levels).astype(int) if levels else np.empty((len(rows), 0), dtype=int)
        return TableColumns(numbers, stacked)


def table_columns(sides: Sides, table: Any, metric: str) -> tuple[TableColumns, TableColumns]:
    """Return the columns of the training rows of the root, and of the distilled rows.

    Parameters
    ----------
    sides : Sides
    table : DistilledTable or None
        With the encoder of a mixed table.
    metric : str
        Name of the metric, for messages.

    Raises
    ------
    DataError
        If the rows are no table, or without any column.
    """
    require_axes(sides, 1, metric)
    root, has_classes = sides.reference.root, sides.classes is not None
    is_encoded = table is not None and table.is_encoded
    # The first set decides the layout, so that random rows, which come without an encoder, are
    # compared in the same columns as the set whose floors they give.
    layout = root.cached(
        "table layout",
        lambda: Layout.of_encoder(table.encoder) if is_encoded else Layout.of_array(root.X),
    )
    with_target = sides.y_small is not None
    targets = None if not with_target else root.codes if has_classes else np.asarray(root.y, dtype=np.float64)
    whole = root.cached(("table columns", with_target), lambda: layout.read(root.X, targets, has_classes=has_classes))
    if not whole.numbers.shape[1] + whole.levels.shape[1]:
        raise DataError(f"{metric} needs at least one column, but the table has none that differs between rows.")
    return whole, layout.read(sides.small, sides.y_small, has_classes=has_classes)
