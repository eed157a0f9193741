"""The variables of a table, learned from its encoder or from the columns of an array."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from distillkit.synthesis._columns import Columns
from distillkit.synthesis.tabular._resolution import resolution_of
from distillkit.synthesis.tabular._variable import Variable
from distillkit.tables import TableEncoder

__all__ = ["Variables"]


@dataclass(frozen=True, eq=False)
class Variables:
    """The variables of encoded rows, in the order of the columns.

    Parameters
    ----------
    parts : tuple of Variable
    width : int
        Number of encoded columns.
    """

    parts: tuple[Variable, ...]
    width: int

    @classmethod
    def of(cls, X: np.ndarray, encoder: TableEncoder | None) -> Self:
        """Learn the variables from encoded rows (n, d) of a mixed table, or from an array."""
        parts = _of_array(X) if encoder is None else _of_encoder(X, encoder)
        return cls(tuple(parts), X.shape[1])

    def __len__(self) -> int:
        return len(self.parts)

    def values(self, X: np.ndarray) -> np.ndarray:
        """Return the values (n, p) of encoded rows (n, d); see `Variable`."""
        V = np.empty((len(X), len(self.parts)))
        for position, variable in enumerate(self.parts):
            V[:, position] = variable.values(X)
        return V

    def encode(self, V: np.ndarray) -> np.ndarray:
        """Return the encoded rows (n, d) of values (n, p)."""
        X = np.zeros((len(V), self.width))
        for position, variable in enumerate(self.parts):
            variable.encode(V[:, position], X)
        return X

    def snap(self, X: np.ndarray) -> np.ndarray:
        """Return encoded rows (n, d) with each value replaced by one that its column can hold."""
        return self.encode(self.values(X))

    def to_state(self) -> dict[str, Any]:
        """Return the variables as plain values for JSON."""
        return {"width": self.width, "parts": [asdict(part) for part in self.parts]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the variables that `to_state` described."""
        return cls(tuple(Variable(**part) for part in state["parts"]), int(state["width"]))


def _of_encoder(X: np.ndarray, encoder: TableEncoder) -> list[Variable]:
    """Return the variables of a mixed table; columns without part in distances have none."""
    parts, start = [], 0
    for column in encoder.columns_:
        width = len(column.parts)
        if width:
            parts.append(_of_column(X, column, start, width))
        start += width
    return parts


def _of_column(X: np.ndarray, column: Any, start: int, width: int) -> Variable:
    if column.kind == "category":
        return Variable("one-hot", start, width)
    if column.kind == "boolean":
        filling = column.mean * column.step
        return Variable("boolean", start, width, scale=column.step, filling=filling, has_gaps=column.has_gaps)
    numbers = column if column.kind == "number" else column.numbers
    if numbers.is_constant:
        return Variable("mark", start, width)
    present = X[:, start] * numbers.scale + numbers.mean
    if numbers.has_gaps:
        present = present[X[:, start + 1] < 0.5]
    resolution = {
        "time": float(getattr(column, "step", 0)),
        "text number": 10.0 ** -getattr(column, "decimals", 0),
    }.get(column.kind)
    return Variable(
        "number",
        start,
        width,
        mean=numbers.mean,
        scale=numbers.scale,
        filling=numbers.filling,
        low=float(numbers.low),
        high=float(numbers.high),
        resolution=resolution_of(present) if resolution is None else resolution,
        has_gaps=numbers.has_gaps,
        discrete=_has_few_values(present),
    )


def _of_array(X: np.ndarray) -> list[Variable]:
    """Return the variables of an array, where adjacent one-hot columns are one category."""
    columns = Columns.of(X)
    starts = {int(block[0]): len(block) for block in columns.blocks}
    parts, start = [], 0
    while start < X.shape[1]:
        width = starts.get(start, 0)
        if width:
            parts.append(Variable("one-hot", start, width))
        else:
            numbers = X[:, start].astype(np.float64)
            parts.append(
                Variable(
                    "number",
                    start,
                    1,
                    low=float(numbers.min()),
                    high=float(numbers.max()),
                    resolution=resolution_of(numbers),
                    discrete=start in columns.levels,
                )
            )
        start += max(1, width)
    return parts


def _has_few_values(numbers: np.ndarray) -> bool:
    return len(np.unique(numbers[:1000])) <= 10 and len(np.unique(numbers)) <= 10
