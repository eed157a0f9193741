"""Matrices whose rows are computed when needed, for methods that go through them in blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["LazyRows", "select_rows"]

_BLOCK_BYTES = 2**22


class LazyRows(ABC):
    """Matrix of shape (n, d) whose rows are computed each time they are needed.

    It replaces an array in computations that go through its rows in blocks, so that memory never
    holds all numbers. Indexing by a slice or by positions computes these rows. Means and variances
    are those of NumPy bit for bit. NumPy functions that take no such object convert it to an array.

    Parameters
    ----------
    shape : tuple of (n, d)
    dtype : dtype, default=float64
    """

    ndim = 2

    def __init__(self, shape: tuple[int, int], dtype: Any = np.float64) -> None:
        self.shape = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    @abstractmethod
    def compute(self, key: Any) -> np.ndarray:
        """Return the rows of a slice or of an array of positions as a new array."""

    @abstractmethod
    def select(self, positions: np.ndarray) -> LazyRows:
        """Return the rows at some positions, which are computed when they are needed as well."""

    def scaled(self, origin: np.ndarray, scale: float) -> LazyRows:
        """Return ``(X - origin) * scale`` as float32, computed in float64."""
        return _ScaledRows(self, origin, scale)

    def with_column(self, column: np.ndarray) -> LazyRows:
        """Return the rows with one more column, the last one."""
        return _WidenedRows(self, column)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> int:
        """Number of numbers."""
        return self.shape[0] * self.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes of all rows, if they were in memory."""
        return self.size * self.dtype.itemsize

    def __getitem__(self, key: Any) -> np.ndarray:
        """Return the rows of a slice or of positions, or a single row."""
        if isinstance(key, (int, np.integer)):
            row: np.ndarray = self.compute(np.array([key]))[0]
            return row
        return self.compute(key)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return all rows as an array."""
        rows = np.empty(self.shape, self.dtype if dtype is None else dtype)
        for part, block in self.blocks():
            rows[part] = block
        return rows

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield consecutive blocks of rows, each with its slice."""
        step = max(1, _BLOCK_BYTES // (8 * self.shape[1]))
        for begin in range(0, len(self), step):
            part = slice(begin, min(begin + step, len(self)))
            yield part, self.compute(part)

    @cached_property
    def _ranges_and_sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Smallest value, largest value and sum of each column."""
        low, high, sums = np.full(self.shape[1], np.inf), np.full(self.shape[1], -np.inf), np.zeros(self.shape[1])
        for part, block in self.blocks():
            low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
            sums = _added(sums if part.start else None, block)
        return low, high, sums

    def min(self, axis: int = 0) -> np.ndarray:
        """Return the smallest value of each column; `axis` must be 0."""
        return self._ranges_and_sums[0]

    def max(self, axis: int = 0) -> np.ndarray:
        """Return the largest value of each column; `axis` must be 0."""
        return self._ranges_and_sums[1]

    def mean(self, axis: int = 0, dtype: Any = np.float64) -> np.ndarray:
        """Return the mean of each column; `axis` must be 0."""
        mean: np.ndarray = self._ranges_and_sums[2] / len(self)
        return mean

    def var(self, axis: int = 0, dtype: Any = np.float64) -> np.ndarray:
        """Return the variance of each column; `axis` must be 0."""
        mean, sums = self.mean(), np.zeros(self.shape[1])
        for part, block in self.blocks():
            difference = block - mean
            sums = _added(sums if part.start else None, difference * difference)
        return np.asarray(sums / len(self))

    def squared_norms(self) -> np.ndarray:
        """Return the sum of the squares of each row."""
        return np.concatenate([np.einsum("ij,ij->i", block, block) for _, block in self.blocks()])


class _ScaledRows(LazyRows):
    """Centered and scaled rows in float32."""

    def __init__(self, rows: LazyRows, origin: np.ndarray, scale: float) -> None:
        super().__init__(rows.shape, np.float32)
        self.rows, self.origin, self.scale = rows, origin, scale

    def compute(self, key: Any) -> np.ndarray:
        return np.asarray((self.rows.compute(key) - self.origin) * self.scale, dtype=np.float32)

    def select(self, positions: np.ndarray) -> LazyRows:
        return _ScaledRows(self.rows.select(positions), self.origin, self.scale)


class _WidenedRows(LazyRows):
    """Rows with one more column."""

    def __init__(self, rows: LazyRows, column: np.ndarray) -> None:
        super().__init__((rows.shape[0], rows.shape[1] + 1), rows.dtype)
        self.rows, self.column = rows, column

    def compute(self, key: Any) -> np.ndarray:
        return np.column_stack([self.rows.compute(key), self.column[key]])

    def select(self, positions: np.ndarray) -> LazyRows:
        return _WidenedRows(self.rows.select(positions), self.column[positions])


def _added(sums: np.ndarray | None, block: np.ndarray) -> np.ndarray:
    """Add the rows of a block one by one to the sums of the columns, as NumPy's own sums do."""
    if sums is not None:
        block[0] += sums
    return np.asarray(np.add.reduce(block, axis=0, dtype=np.float64))


def select_rows(X: Any, positions: np.ndarray) -> Any:
    """Return rows at some positions: a copy of those of an array, `LazyRows` of lazy ones."""
    return X.select(positions) if isinstance(X, LazyRows) else X[positions]
