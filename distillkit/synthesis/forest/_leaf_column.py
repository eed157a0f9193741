"""The distribution of one variable in each leaf of a forest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

__all__ = ["LeafColumn"]

_FIELDS = ("starts", "cells", "mass", "low", "high", "marginal")


@dataclass(frozen=True, eq=False)
class LeafColumn:
    """Shares of the cells of a variable in each leaf.

    In a leaf with rows of mass m, a cell has the share ``(m_cell + a g_cell / g) / (m + a)``. Here
    m_cell is the mass of the rows of the leaf in the cell, a is the smoothing, g_cell is the share
    of the cell in all training rows, and g is that of all cells that the splits leave to the leaf.

    Parameters
    ----------
    starts : ndarray of shape (n_leaves + 1,), int64
        The entries of leaf k are ``starts[k]:starts[k + 1]``.
    cells : ndarray of shape (n_entries,), int32
        Cells that rows of the leaf are in, ascending.
    mass : ndarray of shape (n_entries,), float64
        Mass of the rows in the cell.
    low, high : ndarray of shape (n_leaves,), int32
        First and last cell that the splits leave to a leaf.
    marginal : ndarray of shape (n_cells,), float64
        Share of each cell in the training rows.
    smoothing : float
    """

    starts: np.ndarray
    cells: np.ndarray
    mass: np.ndarray
    low: np.ndarray
    high: np.ndarray
    marginal: np.ndarray
    smoothing: float

    @classmethod
    def of(
        cls,
        leaves: np.ndarray,
        codes: np.ndarray,
        weight: np.ndarray,
        bounds: tuple[np.ndarray, np.ndarray],
        marginal: np.ndarray,
        smoothing: float,
    ) -> Self:
        """Count the rows (n,) of each leaf and cell.

        Parameters
        ----------
        leaves, codes : ndarray of shape (n,), int
            Leaf and cell of each row; each tree has its own entry of the row.
        weight : ndarray of shape (n,)
        bounds : tuple of ndarray of shape (n_leaves,)
            First and last cell of each leaf.
        marginal : ndarray of shape (n_cells,)
        smoothing : float
        """
        low, high = bounds
        keys, entry = np.unique(leaves * len(marginal) + codes, return_inverse=True)
        of_leaf = np.bincount(keys // len(marginal), minlength=len(low))
        starts = np.concatenate([[0], np.cumsum(of_leaf)]).astype(np.int64)
        mass = np.bincount(entry, weights=weight, minlength=len(keys))
        return cls(
            starts,
            (keys % len(marginal)).astype(np.int32),
            mass,
            low.astype(np.int32),
            high.astype(np.int32),
            marginal,
            smoothing,
        )

    @cached_property
    def _keys(self) -> np.ndarray:
        leaves = np.repeat(np.arange(len(self.low), dtype=np.int64), np.diff(self.starts))
        keys: np.ndarray = leaves * len(self.marginal) + self.cells
        return keys

    @cached_property
    def _total(self) -> np.ndarray:
        """Mass (n_leaves,) of the rows of each leaf."""
        return self._summed(self.mass)

    @cached_property
    def _scale(self) -> np.ndarray:
        """Factor (n_leaves,) from the share of a cell in all rows to its smoothing in a leaf."""
        within = np.concatenate([[0.0], np.cumsum(self.marginal)])
        shares = within[self.high + 1] - within[self.low]
        scale: np.ndarray = np.divide(self.smoothing, shares, out=np.zeros(len(shares)), where=shares > 0)
        return scale

    def probability(self, leaves: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the share (m,) of one cell in each of some leaves (m,)."""
        keys = leaves * len(self.marginal) + codes
        places = np.searchsorted(self._keys, keys).clip(0, len(self._keys) - 1)
        mass = np.where(self._keys[places] == keys, self.mass[places], 0.0)
        allowed = (codes >= self.low[leaves]) & (codes <= self.high[leaves])
        smooth = np.where(allowed, self._scale[leaves] * self.marginal[codes], 0.0)
        shares: np.ndarray = (mass + smooth) / self._denominator(leaves)
        return shares

    def event(self, mask: np.ndarray) -> np.ndarray:
        """Return the share (n_leaves,) of a set of cells in every leaf, as a mask (n_cells,)."""
        shares: np.ndarray = np.clip(self.expectation(mask), 0.0, 1.0)
        return shares

    def expectation(self, values: np.ndarray) -> np.ndarray:
        """Return the mean (n_leaves,) in every leaf of values of the cells (n_cells,)."""
        within = np.concatenate([[0.0], np.cumsum(self.marginal * values)])
        smooth = self._scale * (within[self.high + 1] - within[self.low])
        means: np.ndarray = (self._summed(self.mass * values[self.cells]) + smooth) / self._denominator(slice(None))
        return means

    def draw(self, leaves: np.ndarray, rng: np.random.Generator, mask: np.ndarray | None = None) -> np.ndarray:
        """Draw a cell (m,) of each leaf (m,), among those of a mask (n_cells,) if given."""
        chosen = self.mass if mask is None else self.mass * mask[self.cells]
        marginal = self.marginal if mask is None else self.marginal * mask
        ends, within = np.cumsum(chosen), np.concatenate([[0.0], np.cumsum(marginal)])
        # 1. Decide whether each cell is one of rows of the leaf, or any that is left to it.
        first, last = self.starts[leaves], self.starts[leaves + 1] - 1
        before = np.where(first > 0, ends[first - 1], 0.0)
        of_rows = ends[last] - before
        start, stop = within[self.low[leaves]], within[self.high[leaves] + 1]
        smooth = self._scale[leaves] * (stop - start)
        of_leaf = rng.random(len(leaves)) * (of_rows + smooth) < of_rows
        # 2. Draw by mass. Cells without any are passed over, also where rounding leads to an end.
        level = rng.random(len(leaves))
        entries = np.searchsorted(ends, before + level * of_rows, side="right")
        entries = np.minimum(entries, np.searchsorted(ends, ends[last], side="left"))
        cells = np.searchsorted(within[1:], start + level * (stop - start), side="right")
        cells = np.minimum(cells, np.searchsorted(within[1:], stop, side="left"))
        drawn: np.ndarray = np.where(of_leaf, self.cells[np.minimum(entries, len(ends) - 1)], cells)
        return drawn.astype(np.int64)

    def _denominator(self, leaves: np.ndarray | slice) -> np.ndarray:
        denominator: np.ndarray = self._total[leaves] + self.smoothing * (self._scale[leaves] > 0)
        return denominator

    def _summed(self, values: np.ndarray) -> np.ndarray:
        """Return the sums (n_leaves,) of values of the entries."""
        ends = np.concatenate([[0.0], np.cumsum(values)])
        sums: np.ndarray = ends[self.starts[1:]] - ends[self.starts[:-1]]
        return sums

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], smoothing: float) -> Self:
        """Return the column that `to_arrays` described."""
        return cls(**{name: arrays[name] for name in _FIELDS}, smoothing=smoothing)
