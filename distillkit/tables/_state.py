"""Columns and their levels as plain values for JSON, and back."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from decimal import Decimal
from typing import Any

from distillkit.exceptions import DataError
from distillkit.tables._columns import (
    BooleanColumn,
    CategoryColumn,
    Column,
    NumberColumn,
    OmittedColumn,
    TextNumberColumn,
    TimeColumn,
)

__all__ = ["column_from_state", "column_to_state", "from_typed", "to_typed"]

_KINDS: dict[str, type] = {
    cls.kind: cls for cls in (BooleanColumn, CategoryColumn, NumberColumn, OmittedColumn, TextNumberColumn, TimeColumn)
}


_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "float": (float, int),
    "int": (int,),
    "str": (str,),
    "str | None": (str, type(None)),
    "NumberColumn": (NumberColumn,),
    "tuple[Any, ...]": (tuple,),
    "tuple[int, ...]": (tuple,),
}
"""Types of the values of each annotation of a column's parameters."""
_UNITS = frozenset({"Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"})
_LARGEST = 2**63
_MOST_DECIMALS = 1100  # of a float64


def _timestamp(text: str) -> Any:
    import pandas as pd

    return pd.Timestamp(text)


def _timedelta(text: str) -> Any:
    import pandas as pd

    return pd.Timedelta(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "bool": lambda text: text == "True",
    "int": int,
    "float": float,
    "Decimal": Decimal,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "Timestamp": _timestamp,
    "Timedelta": _timedelta,
    "bytes": bytes.fromhex,
}


def to_typed(value: Any) -> Any:
    """Return a level or a column name as text with the name of its type; text stays text.

    Raises
    ------
    DataError
        If its type is not one of those that can be read again.
    """
    if isinstance(value, str):
        return str(value)
    name = type(value).__name__
    if name not in _READERS:
        raise DataError(
            f"the level {value!r} is of type {name}, which no file can hold: turn the column into text first."
        )
    if isinstance(value, bytes):
        return [name, value.hex()]
    text = value.isoformat() if isinstance(value, (dt.date, dt.time)) else repr(value)
    return [name, str(value) if name in ("Decimal", "Timedelta") else text]


def from_typed(state: Any) -> Any:
    """Return the value that `to_typed` described."""
    if isinstance(state, str):
        return state
    name, text = state
    return _READERS[name](text)


def column_to_state(column: Column) -> dict[str, Any]:
    """Return a column as plain values for JSON."""
    state = {"kind": column.kind, **asdict(column)}
    if isinstance(column, CategoryColumn):
        state["levels"] = [to_typed(level) for level in column.levels]
        state["counts"] = list(column.counts)
    return state


def column_from_state(state: dict[str, Any]) -> Column:
    """Return the column that `column_to_state` described."""
    fields = {name: value for name, value in state.items() if name != "kind"}
    if state["kind"] == "category":
        fields["levels"] = tuple(from_typed(level) for level in fields["levels"])
        fields["counts"] = tuple(fields["counts"])
    if "numbers" in fields:
        fields["numbers"] = _checked(NumberColumn(**fields["numbers"]))
    column: Column = _checked(_KINDS[state["kind"]](**fields))
    return column


def _checked(column: Any) -> Any:
    """Return a column whose parameters have the right types and ranges.

    Raises
    ------
    DataError
        If one has not; the state of a column may come from a file that is damaged.
    """
    for parameter in dataclass_fields(column):
        value, types = getattr(column, parameter.name), _TYPES[str(parameter.type)]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise DataError(f"its {column.kind} column has {parameter.name}={str(value)[:50]!r}.")
    if isinstance(column, NumberColumn) and (column.scale == 0 or not math.isfinite(column.scale)):
        raise DataError(f"its number column has scale={column.scale}.")
    if isinstance(column, TimeColumn) and (
        column.unit not in _UNITS or not 0 < column.step < _LARGEST > abs(column.offset)
    ):
        raise DataError(
            f"its time column has unit={column.unit[:50]!r}, step={column.step} and offset={column.offset}."
        )
    if isinstance(column, TextNumberColumn) and not 0 <= column.decimals <= _MOST_DECIMALS:
        raise DataError(f"its text number column has decimals={column.decimals}.")
    if isinstance(column, CategoryColumn) and not (
        0 <= column.n_own <= len(column.levels) == len(column.counts) and len(set(column.levels)) == len(column.levels)
    ):
        raise DataError(f"its category column has {len(column.levels)} levels, of which {column.n_own} have a column.")
    return column
