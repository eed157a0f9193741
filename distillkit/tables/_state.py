"""Columns and their levels as plain values for JSON, and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
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
        fields["numbers"] = NumberColumn(**fields["numbers"])
    column: Column = _KINDS[state["kind"]](**fields)
    return column
