"""Sampling by rejection: rows are made until enough of them are as they were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.synthesis._protocol import EventGenerator, Generator
from distillkit.synthesis.requests._batch import Batch
from distillkit.synthesis.requests._constraints import meets_constraints
from distillkit.synthesis.requests._events import ColumnDecoder
from distillkit.synthesis.requests._given import Conditions
from distillkit.synthesis.requests._row_decoder import RowDecoder
from distillkit.tables._reading import Numbers

__all__ = ["RowSampler"]

_MOST_ROWS = 2**16
"""Rows that are made at once at most, except for those that are asked for."""
_MOST_MISSES = 2**21
"""Rows that are made in vain before the conditions are said to be too rare."""


@dataclass(frozen=True, eq=False)
class RowSampler:
    """Makes rows with a trained generator, in the types of the training rows.

    Parameters
    ----------
    generator : Generator
    decoder : RowDecoder or None
        Of a frame.
    cast : callable
        Returns rows and labels in the types of the training rows: ``cast(X, y) -> (X, y)``.
    conditions : Conditions or None
    constraints : sequence of callable and str
    agrees : callable or None
        Returns which rows of a batch have the label that was asked for, as a teacher sees them:
        ``agrees(batch) -> ndarray of bool``.
    """

    generator: Generator
    decoder: RowDecoder | None
    cast: Callable[[np.ndarray, np.ndarray | None], tuple[np.ndarray, np.ndarray | None]]
    conditions: Conditions | None = None
    constraints: Sequence[Callable[[Any], Any] | str] = ()
    agrees: Callable[[Batch], np.ndarray] | None = None

    @cached_property
    def _events(self) -> dict[int, np.ndarray]:
        """Cells in which the generator is to draw rows, if it can; conditions are then checked."""
        if self.conditions is None or not isinstance(self.generator, EventGenerator):
            return {}
        return self.generator.events(self.conditions, ColumnDecoder(self._cast_rows, self.decoder))

    @property
    def accepts_all(self) -> bool:
        """Whether no row can be rejected."""
        return self.conditions is None and not self.constraints and self.agrees is None

    def draw(self, n_rows: int, y: np.ndarray | None, rng: np.random.RandomState) -> Batch:
        """Make rows.

        Parameters
        ----------
        n_rows : int
        y : ndarray of shape (n_rows,) or None
            Labels of the rows. None draws them: in their shares of the training rows or, under
            conditions and constraints, in their shares of the rows that meet these.
        rng : RandomState

        Raises
        ------
        DataError
            If hardly any row meets the conditions and constraints.
        """
        if self.accepts_all:
            return self._make(n_rows, self._labels(n_rows, rng) if y is None else y, rng)
        parts: list[Batch] = []
        places: list[np.ndarray] = []
        todo, n_made = np.arange(n_rows), 0
        while len(todo):
            n_accepted = n_rows - len(todo)
            self._check_rarity(n_accepted, n_made, n_rows)
            # 1. Make several rows for each one that is still needed, by the share accepted so far.
            repeats = max(1, min(_MOST_ROWS // len(todo), 2 * (n_made + 1) // (n_accepted + 1)))
            order = np.tile(todo, repeats)
            labels = y[order] if y is not None else None if self._events else self._labels(len(order), rng)
            batch = self._make(len(order), labels, rng)
            n_made += len(order)
            # 2. Each needed row takes the first that is accepted.
            hits = np.flatnonzero(self._accepts(batch))
            if y is None:  # any of them will do
                places.append(todo[: len(hits)])
                parts.append(batch.take(hits[: len(todo)]))
            else:
                filled, first = np.unique(order[hits], return_index=True)
                places.append(filled)
                parts.append(batch.take(hits[first]))
            todo = np.setdiff1d(todo, places[-1], assume_unique=True)
        return Batch.join(parts).take(np.argsort(np.concatenate(places), kind="stable"))

    def finished(self, batch: Batch, rng: np.random.RandomState) -> Any:
        """Return the rows of a batch in the container of the training rows."""
        if self.decoder is None or batch.values is None:
            return batch.X
        return self.decoder.frame(self.decoder.with_identifiers(batch.values, _generator(rng)))

    def _labels(self, n_rows: int, rng: np.random.RandomState) -> np.ndarray | None:
        labels = self.generator.condition.draw(n_rows)
        return None if labels is None else rng.permutation(labels)

    def _make(self, n_rows: int, y: np.ndarray | None, rng: np.random.RandomState) -> Batch:
        if self._events and isinstance(self.generator, EventGenerator):
            X, labels = self.cast(*self.generator.rows_in(self._events, n_rows, y, _seed(rng)))
        else:
            X, labels = self.cast(self.generator.rows(n_rows, y, _seed(rng)), y)
        values = None if self.decoder is None else self.decoder.values(X, _generator(rng))
        return Batch(X, labels, values)

    def _cast_rows(self, X: np.ndarray) -> np.ndarray:
        """Return encoded rows in the type of the training rows."""
        return self.cast(X, self.generator.condition.draw(len(X)))[0]

    def _accepts(self, batch: Batch) -> np.ndarray:
        mask = np.ones(len(batch.X), dtype=bool)
        if self.conditions is not None:
            columns = batch.values or [Numbers(column.astype(np.float64)) for column in _flat(batch.X).T]
            mask &= self.conditions.mask(columns)
        if self.constraints:
            rows = np.flatnonzero(mask)
            if len(rows):
                chosen = batch.take(rows)
                shown = chosen.X if self.decoder is None else self.decoder.frame(chosen.values or [])
                mask[rows] = meets_constraints(shown, self.constraints)
        if self.agrees is not None and mask.any():
            rows = np.flatnonzero(mask)
            mask[rows] = self.agrees(batch.take(rows))
        return mask

    def _check_rarity(self, n_accepted: int, n_made: int, n_rows: int) -> None:
        if n_made - 100 * n_accepted >= _MOST_MISSES:
            raise DataError(
                f"only {n_accepted} of {n_made} made rows are as they were asked for, and {n_rows} are needed: loosen "
                "`given`, `constraints` or `y`, or check that the training rows hold such rows."
            )


def _flat(X: np.ndarray) -> np.ndarray:
    return X.reshape(len(X), -1)


def _seed(rng: np.random.RandomState) -> int:
    return int(rng.randint(np.iinfo(np.int32).max))


def _generator(rng: np.random.RandomState) -> np.random.Generator:
    return np.random.default_rng(_seed(rng))
