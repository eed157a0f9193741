"""The training values in the leaves of a tree, from which new values are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

__all__ = ["LeafValues"]

_REPEATED = 5
"""Rows that share a number from which on it is drawn as it is, as a value typical of the column."""


@dataclass(frozen=True, eq=False)
class LeafValues:
    """The values of one variable, sorted by leaf and within each leaf.

    A value is drawn from those of a leaf. A number that fewer than five training rows share is then
    moved at random, by up to half the way to the next such number of its leaf, so that it is no
    copy of a training value. Repeated numbers, gaps and levels are drawn as they are.

    Parameters
    ----------
    starts : ndarray of shape (n_nodes + 1,), int64
        The values of node k are ``values[starts[k]:starts[k + 1]]``.
    values : ndarray of shape (n,)
        Gaps come last within a leaf.
    moves : ndarray of shape (n,), bool
        Whether a value is moved.
    ends : ndarray of shape (n,) or None
        Cumulative weights of the values; None if all rows count once.
    """

    starts: np.ndarray
    values: np.ndarray
    moves: np.ndarray
    ends: np.ndarray | None

    @classmethod
    def of(
        cls, leaves: np.ndarray, n_nodes: int, values: np.ndarray, weight: np.ndarray | None, *, smooth: bool
    ) -> Self:
        """Sort training values by leaf.

        Parameters
        ----------
        leaves : ndarray of shape (n,), int
            Node number of the leaf of each row.
        n_nodes : int
        values : ndarray of shape (n,)
        weight : ndarray of shape (n,) or None
        smooth : bool
            Whether numbers that few rows share are moved.
        """
        order = np.lexsort((values, leaves))
        starts = np.concatenate([[0], np.cumsum(np.bincount(leaves, minlength=n_nodes))]).astype(np.int64)
        moves = np.zeros(len(values), dtype=bool)
        if smooth:
            _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
            moves = ((counts[codes] < _REPEATED) & ~np.isnan(values))[order]
        return cls(starts, values[order], moves, None if weight is None else np.cumsum(weight[order]))

    def draw(self, leaves: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a value of each leaf.

        Parameters
        ----------
        leaves : ndarray of shape (m,), int
        rng : Generator

        Returns
        -------
        ndarray of shape (m,)
        """
        return self._moved(self._picks(leaves, rng.random(len(leaves))), leaves, rng)

    def _picks(self, leaves: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Return the positions of the values at given shares of the weight of each leaf."""
        first, last = self.starts[leaves], self.starts[leaves + 1] - 1
        picks: np.ndarray
        if self.ends is None:
            picks = np.minimum(first + (levels * (last + 1 - first)).astype(np.int64), last)
            return picks
        before = np.where(first > 0, self.ends[first - 1], 0.0)
        targets = before + levels * (self.ends[last] - before)
        picks = np.searchsorted(self.ends, targets, side="right").clip(first, last)
        return picks

    def _moved(self, picks: np.ndarray, leaves: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the values at some positions, those that few rows share moved."""
        values: np.ndarray = self.values[picks]
        rows = np.flatnonzero(self.moves[picks])
        if not len(rows):
            return values
        # 1. Take the neighbor below or above within the leaf.
        positions, first = picks[rows], self.starts[leaves[rows]]
        last = self.starts[leaves[rows] + 1] - 1
        step = np.where(rng.random(len(rows)) < 0.5, -1, 1)
        neighbors = np.clip(positions + step, first, last)
        # 2. At an end of the leaf, or next to a repeated number, take that on the other side.
        blocked = (neighbors == positions) | ~self.moves[neighbors]
        neighbors = np.where(blocked, np.clip(positions - step, first, last), neighbors)
        alone = (neighbors == positions) | ~self.moves[neighbors]
        # 3. Move up to half of the way, and a number that is alone in its leaf by the nearest
        # numbers of other leaves.
        targets = self.values[neighbors]
        if alone.any():
            targets[alone] = self._nearest_elsewhere(self.values[positions[alone]], step[alone])
        values[rows] += (targets - values[rows]) * (0.5 * rng.random(len(rows)))
        return values

    def _nearest_elsewhere(self, numbers: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Return the next moved number of any leaf, below or above."""
        pool = np.unique(self.values[self.moves])
        places = np.searchsorted(pool, numbers)
        places = np.where((places + step < 0) | (places + step >= len(pool)), places - step, places + step)
        nearest: np.ndarray = pool[np.clip(places, 0, len(pool) - 1)]
        return nearest

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        arrays = {"starts": self.starts, "values": self.values, "moves": self.moves}
        return arrays if self.ends is None else {**arrays, "ends": self.ends}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Return the values that `to_arrays` described."""
        return cls(arrays["starts"], arrays["values"], arrays["moves"], arrays.get("ends"))
