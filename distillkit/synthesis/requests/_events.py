"""Conditions on columns as sets of the cells that a density is a table over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from distillkit.synthesis.requests._given import Conditions, compared, meets, operands
from distillkit.synthesis.requests._row_decoder import RowDecoder
from distillkit.synthesis.tabular._cells import Cells
from distillkit.synthesis.tabular._variables import Variables
from distillkit.tables._columns import CategoryColumn
from distillkit.tables._reading import Labels, Numbers, Values

__all__ = ["ColumnDecoder", "events_of"]


@dataclass(frozen=True, eq=False)
class ColumnDecoder:
    """The map from encoded rows to the values of the columns on which conditions are set.

    Parameters
    ----------
    cast : callable
        Returns encoded rows in the type of the training rows.
    rows : RowDecoder or None
        Of a frame.
    """

    cast: Callable[[np.ndarray], np.ndarray]
    rows: RowDecoder | None

    def values(self, X: np.ndarray) -> list[Values]:
        """Return the values of each column of encoded rows (n, d)."""
        X = self.cast(X)
        if self.rows is not None:
            return self.rows.values(X, np.random.default_rng(0))
        return [Numbers(column.astype(np.float64)) for column in X.reshape(len(X), -1).T]

    def variable(self, position: int, variables: Variables) -> int | None:
        """Return the position of the variable of a column, or None for columns without one."""
        start = position
        if self.rows is not None:
            widths = [len(column.parts) for column in self.rows.encoder.columns_]
            if not widths[position]:
                return None
            start = sum(widths[:position])
        for number, variable in enumerate(variables.parts):
            if variable.start <= start < variable.start + variable.width:
                return number
        return None

    def has_other(self, position: int) -> bool:
        """Whether rare levels of a column share an encoded one, and are told apart later."""
        column = None if self.rows is None else self.rows.encoder.columns_[position]
        return isinstance(column, CategoryColumn) and column.has_other


def events_of(
    conditions: Conditions,
    variables: Variables,
    cells: Sequence[Cells],
    decoder: ColumnDecoder,
) -> dict[int, np.ndarray]:
    """Return the cells that conditions leave, as masks by position of the variable.

    No row that meets the conditions is in other cells. An interval that meets them in part is among
    the cells, so that rows of it are yet to be checked.

    Parameters
    ----------
    conditions : Conditions
    variables : Variables
    cells : sequence of Cells
        Of each variable.
    decoder : ColumnDecoder
    """
    base = np.array([[part.low[0] if len(part.low) else np.nan for part in cells]])
    events: dict[int, np.ndarray] = {}
    for position, name, condition in conditions.items:
        number = decoder.variable(position, variables)
        if number is None:
            continue
        part = cells[number]
        low, high = (
            _column(decoder, variables, base, number, np.append(ends, [np.nan] * part.has_gaps), position)
            for ends in (part.low, part.high)
        )
        mask = meets(low, name, condition) | meets(high, name, condition)
        if not isinstance(low, Labels):
            for operand in operands(condition):
                mask |= compared(low, name, "<=", operand) & compared(high, name, ">=", operand)
        elif decoder.has_other(position):
            other = low.codes >= _n_own(decoder, position)
            mask |= other
        events[number] = events.get(number, np.ones(part.size, dtype=bool)) & mask
    return events


def _column(
    decoder: ColumnDecoder, variables: Variables, base: np.ndarray, number: int, values: np.ndarray, position: int
) -> Values:
    """Return how the values of one variable look in a column."""
    V = np.repeat(base, len(values), axis=0)
    V[:, number] = values
    return decoder.values(variables.encode(V))[position]


def _n_own(decoder: ColumnDecoder, position: int) -> int:
    assert decoder.rows is not None
    column = decoder.rows.encoder.columns_[position]
    assert isinstance(column, CategoryColumn)
    return column.n_own
