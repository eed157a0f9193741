"""Values in place of gaps, by the density of a forest given all that is known of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from distillkit.synthesis.forest._forest_density import ForestDensity, log_sums

__all__ = ["Imputation"]


@dataclass(frozen=True, eq=False)
class Imputation:
    """The leaves that rows with unknown values can be in, with their probabilities.

    Parameters
    ----------
    density : ForestDensity
    V : ndarray of shape (n, p)
        Values of the variables without the label.
    unknown : ndarray of shape (n, p), bool
    rows, leaves : ndarray of shape (n_pairs,), int64
        Pairs of a row and a leaf, in the order of the rows.
    log_share : ndarray of shape (n_pairs,)
        Logarithm of the probability of the leaf, given what is known of the row, and that its
        unknown values are no gaps.
    """

    density: ForestDensity
    V: np.ndarray
    unknown: np.ndarray
    rows: np.ndarray
    leaves: np.ndarray
    log_share: np.ndarray

    @classmethod
    def of(cls, density: ForestDensity, V: np.ndarray, y: np.ndarray | None, unknown: np.ndarray) -> Self:
        """Weigh the leaves for rows (n, p), with their labels (n,) if these are known.

        From a value without any density, such as an unknown level, nothing is learned; and nothing
        from a row whose values are not found together in any leaf.
        """
        codes, known, inside = density.located(V, y, unknown)
        rows, leaves, log_weight = _weighed(density, codes, known & inside, unknown)
        impossible = np.isneginf(log_sums(rows, log_weight, len(V)))
        if impossible.any():
            used = known & inside & ~impossible[:, np.newaxis]
            rows, leaves, log_weight = _weighed(density, codes, used, unknown)
        return cls(density, V, unknown, rows, leaves, log_weight - log_sums(rows, log_weight, len(V))[rows])

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        """Return values (n, p) whose unknown ones are drawn jointly, row by row."""
        # 1. Draw a leaf for each row: the largest of the shares with Gumbel noise.
        noisy = self.log_share + rng.gumbel(size=len(self.rows))
        order = np.lexsort((noisy, self.rows))
        last = np.append(np.flatnonzero(np.diff(self.rows[order])), len(order) - 1) if len(order) else order
        chosen = np.zeros(len(self.V), dtype=np.int64)
        chosen[self.rows[order[last]]] = self.leaves[order[last]]
        # 2. Draw the unknown values in it.
        filled = self.V.copy()
        for column, position, mask in self._targets():
            places = np.flatnonzero(self.unknown[:, column])
            cells = self.density.mixture.columns[position].draw(chosen[places], rng, mask)
            filled[places, column] = self.density.cells[position].draw(cells, rng)
        return filled

    def expected(self) -> np.ndarray:
        """Return values (n, p) with the mean of unknown numbers, and the most probable levels."""
        filled = self.V.copy()
        for column, position, mask in self._targets():
            part, shares = self.density.cells[position], self.density.mixture.columns[position]
            present = shares.event(mask)
            pairs = self.unknown[self.rows, column]
            rows, leaves = self.rows[pairs], self.leaves[pairs]
            share = np.exp(self.log_share[pairs]) / np.where(present > 0, present, 1.0)[leaves]

            def mean(values: np.ndarray) -> np.ndarray:
                sums = np.bincount(rows, weights=share * shares.expectation(values)[leaves], minlength=len(self.V))  # noqa: B023
                means: np.ndarray = sums[self.unknown[:, column]]  # noqa: B023
                return means

            if part.is_number:
                center = np.nan_to_num(part.means())
                filled[self.unknown[:, column], column] = mean(np.where(mask, center, 0.0))
            else:
                levels = np.flatnonzero(mask)
                probabilities = np.column_stack([mean(np.eye(part.size)[level]) for level in levels])
                filled[self.unknown[:, column], column] = part.low[levels[probabilities.argmax(axis=1)]]
        return filled

    def _targets(self) -> list[tuple[int, int, np.ndarray]]:
        """Return the columns with unknown values, with their variable and its cells."""
        first = int(self.density.has_label)
        columns = np.flatnonzero(self.unknown.any(axis=0)).tolist()
        return [(column, column + first, _cells_to_fill(self.density, column + first)) for column in columns]


def _weighed(
    density: ForestDensity, codes: np.ndarray, known: np.ndarray, unknown: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of rows and leaves, with the joint weight of what is known and of no gaps."""
    rows, leaves, log_weight = density.mixture.reach(codes, known)
    for column in np.flatnonzero(unknown.any(axis=0)).tolist():
        position = column + density.has_label
        with np.errstate(divide="ignore"):
            present = np.log(density.mixture.columns[position].event(_cells_to_fill(density, position)))
        log_weight = log_weight + np.where(unknown[rows, column], present[leaves], 0.0)
    return rows, leaves, log_weight


def _cells_to_fill(density: ForestDensity, position: int) -> np.ndarray:
    """Return the mask of the cells that may replace a gap: all, where a variable has only gaps."""
    mask = density.present(position)
    has_any = bool((density.mixture.columns[position].marginal * mask).sum() > 0)
    return mask if has_any else np.ones_like(mask)
