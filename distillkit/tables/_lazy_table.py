"""Encoded rows of a large table, which are expanded to numbers block by block."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from distillkit.neighbors._lazy_rows import LazyRows
from distillkit.tables._columns import BooleanColumn, CategoryColumn, NumberColumn, TextNumberColumn, TimeColumn
from distillkit.tables._conversion import as_numbers, as_times
from distillkit.tables._encoder import TableEncoder, read_columns

__all__ = ["LazyTable"]


class LazyTable(LazyRows):
    """The rows that `TableEncoder.transform` returns, without holding them in memory.

    Memory holds one small integer for each value of a category, and a number for each other value
    that does not lie in the memory of the frame as float64. The frame must not be modified as long
    as the rows are used.

    Parameters
    ----------
    numbers : list of (int, NumberColumn or BooleanColumn, ndarray of shape (n,))
        First encoded column, kind and values of each column of numbers.
    places : list of (int, ndarray of shape (n,))
        First encoded column of each category, and which of its encoded columns is 1 in each row (-1
        for none).
    shape : tuple of (n, d)
    positions : ndarray or None
        Positions of the rows in these arrays; None for all.
    scaling : tuple of (origin, scale) or None
        Whether the rows are centered and scaled, and float32.
    """

    def __init__(
        self,
        numbers: list[tuple[int, NumberColumn | BooleanColumn, np.ndarray]],
        places: list[tuple[int, np.ndarray]],
        shape: tuple[int, int],
        positions: np.ndarray | None = None,
        scaling: tuple[np.ndarray, float] | None = None,
    ) -> None:
        super().__init__(shape, np.float64 if scaling is None else np.float32)
        self._numbers, self._places, self._positions, self._scaling = numbers, places, positions, scaling
        # A category holds one of two values in each encoded column.
        origin, scale = (np.zeros(shape[1]), 1.0) if scaling is None else scaling
        self._off, self._on = (((value - origin) * scale).astype(self.dtype) for value in (0.0, 1.0))

    @classmethod
    def of(cls, encoder: TableEncoder, X: Any) -> Self:
        """Read a table.

        Parameters
        ----------
        encoder : TableEncoder
        X : pandas, polars or pyarrow frame of shape (n, d)

        Raises
        ------
        DataError
            As `TableEncoder.transform`.
        """
        numbers: list[tuple[int, NumberColumn | BooleanColumn, np.ndarray]] = []
        places: list[tuple[int, np.ndarray]] = []
        start = 0
        for name, column, values in zip(encoder.names_, encoder.columns_, read_columns(X, encoder.names_), strict=True):
            if isinstance(column, CategoryColumn) and column.parts:
                places.append((start, column.places(values, name)))
            elif isinstance(column, TimeColumn):
                data = column.since(as_times(values, column.dtype, name))
                numbers.append((start, column.numbers, column.numbers.checked(data, name)))
            elif isinstance(column, TextNumberColumn):
                data = as_numbers(values, name, blank_is_missing=True)
                numbers.append((start, column.numbers, column.numbers.checked(data, name)))
            elif isinstance(column, (NumberColumn, BooleanColumn)):
                numbers.append((start, column, column.checked(as_numbers(values, name), name)))
            start += len(column.parts)
        return cls(numbers, places, (len(X), max(1, start)))

    def compute(self, key: Any) -> np.ndarray:
        """Return the rows of a slice or of an array of positions as a new array."""
        key = key if self._positions is None else self._positions[key]
        n_rows = len(range(*key.indices(self.shape[0]))) if isinstance(key, slice) else len(key)
        rows = np.empty((n_rows, self.shape[1]), self.dtype)
        rows[:] = self._off
        for start, places in self._places:
            columns = places[key]
            marked = np.flatnonzero(columns >= 0)
            columns = columns[marked].astype(np.intp) + start
            rows[marked, columns] = self._on[columns]
        for start, column, data in self._numbers:
            block = column.block(data[key])
            part = slice(start, start + block.shape[1])
            if self._scaling is not None:
                origin, scale = self._scaling
                block = (block - origin[part]) * scale
            rows[:, part] = block
        return rows

    def select(self, positions: np.ndarray) -> LazyTable:
        """Return the rows at some positions."""
        chosen = positions if self._positions is None else self._positions[positions]
        shape = (len(positions), self.shape[1])
        return LazyTable(self._numbers, self._places, shape, chosen, self._scaling)

    def with_column(self, column: np.ndarray) -> LazyRows:
        """Return the rows with one more column, the last one."""
        if self._scaling is not None:
            return super().with_column(column)
        data = column
        if self._positions is not None:
            data = np.zeros(1 + int(self._positions.max()))
            data[self._positions] = column
            if not np.array_equal(data[self._positions], column):  # a row that occurs twice has two values
                return super().with_column(column)
        n_rows, width = self.shape
        as_it_is = NumberColumn(0.0, 1.0, 0.0, 0.0, is_whole=False, is_constant=False, has_gaps=False)
        numbers = [*self._numbers, (width, as_it_is, data)]
        return LazyTable(numbers, self._places, (n_rows, width + 1), self._positions)

    def scaled(self, origin: np.ndarray, scale: float) -> LazyRows:
        """Return ``(X - origin) * scale`` as float32, computed in float64."""
        if self._scaling is not None:
            return super().scaled(origin, scale)
        return LazyTable(self._numbers, self._places, self.shape, self._positions, (origin, scale))
