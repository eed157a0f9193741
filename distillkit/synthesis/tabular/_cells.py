"""A variable cut into ordered cells, so that a density over it is a table of shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distillkit.synthesis.tabular._resolution import to_multiples

__all__ = ["Cells"]

_REPEATED = 5
"""Rows that share a number from which on the number is a cell of its own."""
_ROWS_PER_CELL = 5
_MOST_CELLS = 2000
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Cells:
    """Ordered cells: levels of a category, or single numbers and intervals, and a gap at the end.

    A number that at least five training rows share is a cell of its own. The numbers between two of
    these are divided into intervals of about equal numbers of rows. Within an interval, numbers are
    uniform: over the multiples of the resolution, or continuously if there is none.

    Parameters
    ----------
    low, high : ndarray of shape (k,)
        Lowest and highest number of each cell, both in it; equal for single numbers. Of a category,
        the position of the level.
    is_number : bool
    step : float
        Numbers are multiples of it; 0 if there is none.
    has_gaps : bool
        Whether the last cell, which is number k, is that of gaps. A gap of a category is one of its
        levels.
    """

    low: np.ndarray
    high: np.ndarray
    is_number: bool
    step: float = 0.0
    has_gaps: bool = False

    @classmethod
    def of_levels(cls, codes: np.ndarray, n_levels: int, labels: np.ndarray) -> Self:
        """Order the levels of a category by the mean label of their rows, and by rows.

        Parameters
        ----------
        codes : ndarray of shape (n,), int
        n_levels : int
        labels : ndarray of shape (n,)
        """
        counts = np.bincount(codes, minlength=n_levels)
        means = np.bincount(codes, weights=labels, minlength=n_levels) / np.maximum(counts, 1)
        order = np.lexsort((np.arange(n_levels), -counts, means)).astype(np.float64)
        return cls(order, order, is_number=False)

    @classmethod
    def of_numbers(cls, numbers: np.ndarray, step: float, *, discrete: bool, has_gaps: bool = False) -> Self:
        """Divide the range of training numbers (n,), of which some may be NaN.

        Parameters
        ----------
        numbers : ndarray of shape (n,)
        step : float
            Step of which all are multiples; 0 if there is none.
        discrete : bool
            Whether each of the numbers is a cell of its own.
        has_gaps : bool
        """
        values, counts = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
        least = 1 if discrete or len(values) < 2 else _REPEATED
        if len(values) > _MOST_CELLS:  # the most frequent numbers only
            least = max(least, int(np.sort(counts)[-_MOST_CELLS // 2]) + 1)
        single = counts >= least
        # 1. Divide the other numbers between single ones into runs of about equal numbers of rows.
        rows = np.where(single, 0, counts)
        run = (np.cumsum(rows) - rows) // max(_ROWS_PER_CELL, -(-int(rows.sum()) // (_MOST_CELLS // 2)))
        starts = np.ones(len(values), dtype=bool)
        starts[1:] = single[1:] | single[:-1] | (run[1:] != run[:-1])
        first = np.flatnonzero(starts)
        last = np.append(first[1:], len(values)) - 1
        low, high = values[first[: len(values)]].astype(np.float64), values[last[: len(values)]].astype(np.float64)
        # 2. Extend the intervals to single numbers beside them, and halfway to other intervals.
        if len(low) > 1:
            ends, next_starts = _cuts(high[:-1], low[1:], single[first[:-1]], single[first[1:]], step)
            high[:-1] = np.where(single[first[:-1]], high[:-1], ends)
            low[1:] = np.where(single[first[1:]], low[1:], next_starts)
        return cls(low, high, is_number=True, step=step, has_gaps=has_gaps)

    @property
    def size(self) -> int:
        """Number of cells, with that of gaps."""
        return len(self.low) + self.has_gaps

    def codes(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells of values, and which values are in one.

        Parameters
        ----------
        values : ndarray of shape (n,)
            NaN where missing.

        Returns
        -------
        codes : ndarray of shape (n,), int64
            The nearest cell.
        inside : ndarray of shape (n,), bool
        """
        if not self.is_number:
            places = np.empty(len(self.low), dtype=np.int64)
            places[self.low.astype(np.int64)] = np.arange(len(self.low))
            return places[values.astype(np.int64)], np.ones(len(values), dtype=bool)
        gaps = np.isnan(values)
        numbers = np.where(gaps, self.low[0] if len(self.low) else 0.0, values)
        if not len(self.low):
            return np.zeros(len(values), dtype=np.int64), gaps & self.has_gaps
        tolerance = _TOLERANCE * max(abs(float(self.low[0])), abs(float(self.high[-1])), self.step)
        # 1. Find the cell above, or the one below if that is nearer.
        above = np.searchsorted(self.high, numbers).clip(0, len(self.low) - 1)
        below = np.maximum(above - 1, 0)
        codes = np.where(numbers - self.high[below] < self.low[above] - numbers, below, above)
        codes = np.where(above == below, above, codes)
        # 2. Prefer single numbers, because rounding errors lead to the intervals beside them.
        for near in (below, above, np.minimum(above + 1, len(self.low) - 1)):
            is_it = (self.low[near] == self.high[near]) & (np.abs(numbers - self.low[near]) <= tolerance)
            codes = np.where(is_it, near, codes)
        inside = (numbers >= self.low[codes] - tolerance) & (numbers <= self.high[codes] + tolerance)
        return np.where(gaps, len(self.low), codes), np.where(gaps, self.has_gaps, inside)

    def draw(self, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a value (n,) of each cell: levels, or numbers with NaN for gaps."""
        is_gap = codes == len(self.low)
        places = np.minimum(codes, max(0, len(self.low) - 1))
        if not len(self.low):
            return np.full(len(codes), np.nan)
        low, high = self.low[places], self.high[places]
        values: np.ndarray = low
        if self.is_number:
            level = rng.random(len(codes))
            if self.step:
                values = to_multiples(low + np.floor(level * self._multiples()[places]) * self.step, self.step)
                values = np.where(low == high, low, values)
            else:
                values = np.clip(low + level * (high - low), low, high)
        return np.where(is_gap, np.nan, values)

    def means(self) -> np.ndarray:
        """Return the mean number (k,) of each cell; NaN for the cell of gaps."""
        means = (self.low + self.high) / 2
        return np.append(means, np.nan) if self.has_gaps else means

    def log_measure(self) -> np.ndarray:
        """Return the logarithm of the numbers that are in each cell, or of its length."""
        measure = np.ones(self.size)
        if self.is_number:
            lengths = self._multiples() if self.step else np.where(self.high > self.low, self.high - self.low, 1.0)
            measure[: len(self.low)] = lengths
        return np.log(measure)

    def _multiples(self) -> np.ndarray:
        counts: np.ndarray = np.rint((self.high - self.low) / self.step) + 1
        return counts

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        return {"low": self.low, "high": self.high}

    def to_state(self) -> dict[str, Any]:
        """Return all else as plain values for JSON."""
        return {"is_number": self.is_number, "step": self.step, "has_gaps": self.has_gaps}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Self:
        """Return the cells that `to_arrays` and `to_state` described."""
        return cls(arrays["low"], arrays["high"], **state)


def _cuts(
    lower: np.ndarray, upper: np.ndarray, lower_single: np.ndarray, upper_single: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the lower ones of adjacent cells end, and where the upper ones start."""
    if step:
        middle = to_multiples(np.floor((lower / 2 + upper / 2) / step) * step, step)
        before = to_multiples(upper - step, step)
        ends = np.where(lower_single, lower, np.where(upper_single, before, np.clip(middle, lower, before)))
        return ends, to_multiples(ends + step, step)
    before = np.nextafter(upper, -np.inf)
    ends = np.where(lower_single, lower, np.where(upper_single, before, np.clip(lower / 2 + upper / 2, lower, before)))
    return ends, np.nextafter(ends, np.inf)
