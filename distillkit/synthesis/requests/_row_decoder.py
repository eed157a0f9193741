"""Encoded rows as rows of the original table, with rare levels and new identifiers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from distillkit.synthesis.requests._identifiers import IdentifierForm, RowNumbers, is_row_number
from distillkit.synthesis.tabular._resolution import resolution_of, to_multiples
from distillkit.tables import TableEncoder
from distillkit.tables._columns import CategoryColumn, NumberColumn, OmittedColumn
from distillkit.tables._encoder import read_columns
from distillkit.tables._reading import Labels, Numbers, Values

__all__ = ["RowDecoder"]


@dataclass(frozen=True, eq=False)
class RowDecoder:
    """The map from encoded rows to a frame with the columns and types of the training rows.

    Parameters
    ----------
    encoder : TableEncoder
    forms : dict of int to IdentifierForm
        Forms of the columns of text that are identifiers, by position.
    numbers : dict of int to RowNumbers
        Columns of row numbers, by position.
    steps : dict of int to float
        Steps under 1 of which the numbers of a column are multiples, by position.
    """

    encoder: TableEncoder
    forms: dict[int, IdentifierForm] = field(default_factory=dict)
    numbers: dict[int, RowNumbers] = field(default_factory=dict)
    steps: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, encoder: TableEncoder, X: Any) -> Self:
        """Learn the identifiers from the training rows, a frame."""
        forms: dict[int, IdentifierForm] = {}
        numbers: dict[int, RowNumbers] = {}
        steps: dict[int, float] = {}
        columns = zip(encoder.names_, encoder.columns_, read_columns(X, encoder.names_), strict=True)
        for position, (name, column, values) in enumerate(columns):
            if isinstance(column, OmittedColumn) and column.reason == "identifier" and isinstance(values, Labels):
                codes = values.codes[values.codes >= 0]
                forms[position] = IdentifierForm.of([str(values.levels[code]) for code in np.unique(codes).tolist()])
            elif isinstance(column, NumberColumn) and isinstance(values, Numbers) and is_row_number(name, values):
                numbers[position] = RowNumbers(int(column.high))
            elif isinstance(column, NumberColumn) and isinstance(values, Numbers):
                step = resolution_of(values.data[~values.missing])
                steps |= {position: step} if 0 < step < 1 else {}
        return cls(encoder, forms, numbers, steps)

    @property
    def identifiers(self) -> tuple[Any, ...]:
        """Names of the columns that are filled with new identifiers."""
        return tuple(self.encoder.names_[position] for position in sorted({**self.forms, **self.numbers}))

    def values(self, X: np.ndarray, rng: np.random.Generator) -> list[Values]:
        """Return the values of each column of encoded rows (n, d); identifiers are missing.

        `rng` draws the rare levels that share one encoded column, by their numbers of rows.
        """
        columns = self.encoder.decode(X)
        for position, step in self.steps.items():  # encoding and decoding have rounding errors
            values = columns[position]
            assert isinstance(values, Numbers)
            columns[position] = replace(values, data=to_multiples(values.data, step))
        for position, column in enumerate(self.encoder.columns_):
            if isinstance(column, CategoryColumn) and column.has_other:
                columns[position] = _with_rare_levels(column, columns[position], rng)
        return columns

    def with_identifiers(self, values: list[Values], rng: np.random.Generator) -> list[Values]:
        """Return the values of each column with new identifiers."""
        columns, n_rows = list(values), len(values[0].missing)
        for position, form in self.forms.items():
            columns[position] = Labels(np.arange(n_rows), list(form.draw(n_rows, rng)))
        for position, numbers in self.numbers.items():
            columns[position] = Numbers(numbers.draw(n_rows), is_integer=True)
        return columns

    def frame(self, values: list[Values], *, rounded: bool = True) -> Any:
        """Return a frame of values in the container and types of the training rows."""
        return self.encoder.schema_.frame(values, rounded=rounded)

    def to_state(self) -> dict[str, Any]:
        """Return the decoder as plain values for JSON."""
        return {
            "encoder": self.encoder.to_dict(),
            "forms": {str(position): form.to_state() for position, form in self.forms.items()},
            "numbers": {str(position): number.last for position, number in self.numbers.items()},
            "steps": {str(position): step for position, step in self.steps.items()},
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the decoder that `to_state` described."""
        return cls(
            TableEncoder.from_dict(state["encoder"]),
            {int(position): IdentifierForm.from_state(form) for position, form in state["forms"].items()},
            {int(position): RowNumbers(int(last)) for position, last in state["numbers"].items()},
            {int(position): float(step) for position, step in state["steps"].items()},
        )


def _with_rare_levels(column: CategoryColumn, values: Values, rng: np.random.Generator) -> Values:
    """Return labels whose rare levels are drawn by their numbers of training rows."""
    assert isinstance(values, Labels)
    rare = np.flatnonzero(values.codes == column.n_own)
    counts = np.array(column.counts[column.n_own :], dtype=np.float64)
    codes = values.codes.copy()
    codes[rare] = column.n_own + rng.choice(len(counts), len(rare), p=counts / counts.sum())
    return Labels(codes, values.levels)
