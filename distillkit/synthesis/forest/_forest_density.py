"""The density of labels and variables that an adversarial forest has learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distillkit.exceptions import DataError
from distillkit.synthesis.forest._leaf_mixture import Events, LeafMixture
from distillkit.synthesis.tabular._cells import Cells

__all__ = ["ForestDensity"]


@dataclass(frozen=True, eq=False)
class ForestDensity:
    """A mixture of leaves over the cells of variables, of which the first may be the label.

    Parameters
    ----------
    cells : tuple of Cells
    gaps : ndarray of shape (p,), int
        Cell of the gaps of each variable, -1 if it has none.
    mixture : LeafMixture
    has_label : bool
        Whether the first variable is the label.
    """

    cells: tuple[Cells, ...]
    gaps: np.ndarray
    mixture: LeafMixture
    has_label: bool

    def draw(
        self, n_rows: int, y: np.ndarray | None, rng: np.random.Generator, events: Events
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw rows, all of which are in the cells of events.

        Parameters
        ----------
        n_rows : int
        y : ndarray of shape (n_rows,) or None
            Class numbers or targets. None draws them as well.
        rng : Generator
        events : dict
            Masks of cells, by position of the variable.

        Returns
        -------
        V : ndarray of shape (n_rows, p)
            Values of the variables without the label.
        y : ndarray of shape (n_rows,) or None

        Raises
        ------
        DataError
            If no leaf can hold such a row.
        """
        weight = self.mixture.given(events)
        if y is None or not self.has_label:
            _check_mass(weight)
            codes = self.mixture.draw(n_rows, weight, rng, events)
        else:
            codes = self._draw_for_labels(self.cells[0].codes(y)[0], weight, rng, events)
        values = np.column_stack([part.draw(column, rng) for part, column in zip(self.cells, codes.T, strict=True)])
        if not self.has_label:
            return values, None
        return values[:, 1:], values[:, 0] if y is None else y

    def _draw_for_labels(
        self, labels: np.ndarray, weight: np.ndarray, rng: np.random.Generator, events: Events
    ) -> np.ndarray:
        """Draw the cells of rows for the cells (n,) of their labels."""
        leaves = np.empty(len(labels), dtype=np.int64)
        every = np.arange(len(weight))
        order = np.argsort(labels, kind="stable")
        cells, starts = np.unique(labels[order], return_index=True)
        for cell, places in zip(cells.tolist(), np.split(order, starts[1:]), strict=True):
            of_label = weight * self.mixture.columns[0].probability(every, np.full(len(every), cell))
            _check_mass(of_label)
            leaves[places] = self.mixture.draw_leaves(len(places), of_label, rng)
        codes = self.mixture.draw_in(leaves, rng, events)
        codes[:, 0] = labels
        return codes

    def log_prob(self, V: np.ndarray, y: np.ndarray | None, unknown: np.ndarray) -> np.ndarray:
        """Return the logarithm (n,) of the density of rows, with their labels if these are given.

        Parameters
        ----------
        V : ndarray of shape (n, p)
            Values of the variables without the label.
        y : ndarray of shape (n,) or None
        unknown : ndarray of shape (n, p), bool
            Values that the density is summed over.
        """
        codes, known, inside = self.located(V, y, unknown)
        rows, _, log_weight = self.mixture.reach(codes, known)
        log_prob = log_sums(rows, log_weight, len(V))
        for position, part in enumerate(self.cells):
            log_prob -= np.where(known[:, position], part.log_measure()[codes[:, position]], 0.0)
        return np.where((inside | ~known).all(axis=1), log_prob, -np.inf)

    def located(
        self, V: np.ndarray, y: np.ndarray | None, unknown: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the cells of labels and values, which are known, and which are in their cell."""
        values = V
        if self.has_label:
            label = np.full(len(V), self.cells[0].low[0]) if y is None else y
            values = np.column_stack([label, V])
            unknown = np.column_stack([np.full(len(V), y is None), unknown])
        codes, inside = np.zeros(values.shape, dtype=np.int64), np.ones(values.shape, dtype=bool)
        for position, part in enumerate(self.cells):
            rows = np.flatnonzero(~unknown[:, position])
            codes[rows, position], inside[rows, position] = part.codes(values[rows, position])
        return codes, ~unknown, inside

    def present(self, position: int) -> np.ndarray:
        """Return the mask of the cells of a variable that are no gaps."""
        mask = np.ones(self.cells[position].size, dtype=bool)
        if self.gaps[position] >= 0:
            mask[self.gaps[position]] = False
        return mask

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the density, and all else as plain values for JSON."""
        arrays = {f"mixture.{name}": values for name, values in self.mixture.to_arrays().items()} | {"gaps": self.gaps}
        for position, part in enumerate(self.cells):
            arrays |= {f"cells.{position}.{name}": values for name, values in part.to_arrays().items()}
        smoothing = self.mixture.columns[0].smoothing if self.mixture.columns else 0.0
        cells = [part.to_state() for part in self.cells]
        return arrays, {"cells": cells, "has_label": self.has_label, "smoothing": smoothing}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Self:
        """Return the density that `to_state` described."""

        def part(start: str) -> dict[str, np.ndarray]:
            return {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}

        cells = tuple(
            Cells.from_state(part(f"cells.{position}."), kind) for position, kind in enumerate(state["cells"])
        )
        mixture = LeafMixture.from_arrays(part("mixture."), len(cells), float(state["smoothing"]))
        return cls(cells, arrays["gaps"], mixture, bool(state["has_label"]))


def log_sums(rows: np.ndarray, log_values: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the logarithms (n_rows,) of the sums of each row's values, in order of the rows."""
    sums = np.full(n_rows, -np.inf)
    if len(rows):
        present, starts = np.unique(rows, return_index=True)
        sums[present] = np.logaddexp.reduceat(log_values, starts)
    return sums


def _check_mass(weight: np.ndarray) -> None:
    if not weight.sum() > 0:
        raise DataError(
            "no row of the learned distribution is as it was asked for: loosen `given` or `y`, or check that the "
            "training rows hold such rows."
        )
