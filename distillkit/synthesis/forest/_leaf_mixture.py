"""The density of a forest: a mixture of leaves, in each of which the variables are independent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from distillkit.synthesis.forest._leaf_column import LeafColumn
from distillkit.synthesis.forest._splits import Splits

__all__ = ["Events", "LeafMixture"]

Events = dict[int, np.ndarray]
"""Sets of cells that variables are in: masks (n_cells,) by position of the variable."""


@dataclass(frozen=True, eq=False)
class LeafMixture:
    """A mixture of the leaves of all trees, weighted by the mass of their training rows.

    Parameters
    ----------
    splits : Splits
    weight : ndarray of shape (n_leaves,)
        Weights of the leaves, which sum to one.
    columns : tuple of LeafColumn
    """

    splits: Splits
    weight: np.ndarray
    columns: tuple[LeafColumn, ...]

    @classmethod
    def of(
        cls,
        splits: Splits,
        leaves: np.ndarray,
        codes: np.ndarray,
        weight: np.ndarray,
        sizes: list[int],
        smoothing: float,
    ) -> Self:
        """Count the training rows in the leaves.

        Parameters
        ----------
        splits : Splits
        leaves : ndarray of shape (n_trees, n), int
            Leaf of each training row in each tree.
        codes : ndarray of shape (n, p), int
            Cells of the training rows.
        weight : ndarray of shape (n,)
            Their weights, of mean 1.
        sizes : list of int
            Number of cells of each variable.
        smoothing : float
        """
        low, high = splits.bounds(sizes)
        mass, flat = np.tile(weight, len(leaves)), leaves.ravel()
        columns = []
        for position, size in enumerate(sizes):
            cells = codes[:, position].astype(np.int64)
            marginal = np.bincount(cells, weights=weight, minlength=size) / weight.sum()
            bounds = (low[:, position], high[:, position])
            columns.append(LeafColumn.of(flat, np.tile(cells, len(leaves)), mass, bounds, marginal, smoothing))
        total = np.bincount(flat, weights=mass, minlength=splits.n_leaves)
        return cls(splits, total / total.sum(), tuple(columns))

    def given(self, events: Events) -> np.ndarray:
        """Return the joint probability (n_leaves,) of each leaf and of events."""
        weight = self.weight
        for position, mask in events.items():
            weight = weight * self.columns[position].event(mask)
        return weight

    def draw(
        self, n_rows: int, weight: np.ndarray, rng: np.random.Generator, events: Events | None = None
    ) -> np.ndarray:
        """Draw the cells of rows.

        Parameters
        ----------
        n_rows : int
        weight : ndarray of shape (n_leaves,)
            Weights of the leaves, as `given` returns them for the events.
        rng : Generator
        events : dict or None

        Returns
        -------
        ndarray of shape (n_rows, p), int64
        """
        return self.draw_in(self.draw_leaves(n_rows, weight, rng), rng, events or {})

    def draw_leaves(self, n_rows: int, weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw leaves (n_rows,) by weights (n_leaves,)."""
        ends = np.cumsum(weight)
        leaves = np.searchsorted(ends, rng.random(n_rows) * ends[-1], side="right")
        drawn: np.ndarray = np.minimum(leaves, np.searchsorted(ends, ends[-1]))
        return drawn

    def draw_in(self, leaves: np.ndarray, rng: np.random.Generator, events: Events) -> np.ndarray:
        """Draw the cells (n, p) of rows in given leaves (n,)."""
        codes = np.empty((len(leaves), len(self.columns)), dtype=np.int64)
        for position, column in enumerate(self.columns):
            codes[:, position] = column.draw(leaves, rng, events.get(position))
        return codes

    def reach(self, codes: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the pairs of a row and a leaf, with the joint probability of leaf and known cells.

        Parameters
        ----------
        codes : ndarray of shape (n, p), int
        known : ndarray of shape (n, p), bool

        Returns
        -------
        rows, leaves : ndarray of shape (n_pairs,), int64
            In the order of the rows.
        log_weight : ndarray of shape (n_pairs,)
        """
        rows, leaves = self.splits.reach(codes, known)
        log_weight = np.log(self.weight[leaves])
        with np.errstate(divide="ignore"):
            for position, column in enumerate(self.columns):
                used = np.flatnonzero(known[rows, position])
                log_weight[used] += np.log(column.probability(leaves[used], codes[rows[used], position]))
        return rows, leaves, log_weight

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], size: int, smoothing: float) -> Self:
        """Return the mixture of `size` variables that `to_arrays` described."""

        def part(start: str) -> dict[str, np.ndarray]:
            return {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}

        columns = (LeafColumn.from_arrays(part(f"{position}."), smoothing) for position in range(size))
        return cls(Splits.from_arrays(part("splits.")), arrays["weight"], tuple(columns))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        parts: Iterable[tuple[str, Splits | LeafColumn]]
        parts = [("splits", self.splits), *((str(place), column) for place, column in enumerate(self.columns))]
        arrays = {f"{name}.{key}": values for name, part in parts for key, values in part.to_arrays().items()}
        return arrays | {"weight": self.weight}
