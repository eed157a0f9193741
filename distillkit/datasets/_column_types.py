"""Types of the columns of a table: inferred from the text of a file, and applied to its rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnType", "convert_column", "infer_type", "is_raw", "is_text"]

_BOOLEANS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_PADDED = re.compile(r"[+-]?0[0-9].*", re.DOTALL)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?( ?(Z|[+-][0-9]{2}:?[0-9]{2}))?)?"
    r"|[0-9]{8}T[0-9]{6}"
)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([ ,.'\u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*([.,][0-9]+)?")
_FEW_WORDS = 5


def _number_pattern(decimal: str) -> re.Pattern[str]:
    point = re.escape(decimal)
    return re.compile(rf"[+-]?(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?i:inf|infinity)")


_NUMBER = {decimal: _number_pattern(decimal) for decimal in (".", ",")}


@dataclass(frozen=True)
class ColumnType:
    """Type of a column.

    Parameters
    ----------
    kind : {"integer", "number", "boolean", "date", "duration", "text", "empty"}
    decimal : {".", ","}
        The decimal mark of numbers that are written as text.
    note : str
        Reason for a type that a reader of the report may not expect; empty if there is none.
    """

    kind: str
    decimal: str = "."
    note: str = ""


def is_raw(column: pd.Series[Any]) -> bool:
    """Return whether a column holds the text of a delimited file, without a declared type."""
    import pandas as pd

    return isinstance(column.dtype, pd.ArrowDtype)


def is_text(dtype: Any) -> bool:
    """Return whether a converted column is text or a category."""
    from pandas.api import types

    return bool(isinstance(dtype, types.CategoricalDtype) or dtype.kind == "O" or types.is_string_dtype(dtype))


def infer_type(column: pd.Series[Any], decimal: str = ".") -> ColumnType:
    """Return the type that fits all values of a column, missing ones left aside.

    Parameters
    ----------
    column : Series
        Text of a delimited file, or a column of a declared type.
    decimal : {".", ","}

    Notes
    -----
    Values in text are booleans if all are "True" or "False" (also in capitals or small letters),
    numbers if all are numbers, dates if all are written as in ISO 8601 (2024-01-31, with or without
    a time), and text otherwise. Numbers that begin with zeros, such as 007, are codes and therefore
    text, as are whole numbers beyond 64 bits.
    """
    if not is_raw(column):
        return ColumnType(_declared_kind(column))
    values = _distinct(column)
    if not values:
        return ColumnType("empty", decimal)
    if all(value in _BOOLEANS for value in values):
        return ColumnType("boolean", decimal)
    number = _NUMBER[decimal]
    n_numbers = sum(number.fullmatch(value) is not None for value in values)
    if n_numbers == len(values):
        return _type_of_numbers(values, decimal)
    if all(map(_DATE.fullmatch, values)) and _dates(values) is not None:
        return ColumnType("date", decimal)
    return ColumnType("text", decimal, _note_on_text(values, n_numbers, decimal))


def _distinct(column: pd.Series[Any]) -> list[str]:
    return list(np.asarray(column.dropna().unique(), dtype=object))


def _type_of_numbers(values: list[str], decimal: str) -> ColumnType:
    padded = next(filter(_PADDED.fullmatch, values), None)
    if padded is not None:
        return ColumnType("text", decimal, f"is text, because {padded!r} begins with a zero as codes do")
    if not all(map(_INTEGER.fullmatch, values)):
        return ColumnType("number", decimal)
    limits = np.iinfo(np.int64)
    long = next((value for value in values if not limits.min <= _as_integer(value) <= limits.max), None)
    if long is not None:
        return ColumnType("text", decimal, f"is text, because {long[:40]} is beyond the range of 64-bit integers")
    return ColumnType("integer", decimal)


def _as_integer(value: str) -> int:
    # Python refuses to convert very long texts, which are beyond every range in any case.
    return int(value) if len(value) <= 40 else 10**40


def _note_on_text(values: list[str], n_numbers: int, decimal: str) -> str:
    other = "," if decimal == "." else "."
    is_other = all(map(_NUMBER[other].fullmatch, values))
    if all(map(_GROUPED.fullmatch, values)):
        remedy = f", or give decimal = {other!r} if they are decimal marks" if is_other else ""
        return f"is text, because its numbers hold separators of thousands: write them without{remedy}"
    if is_other:
        return f"is text, because its numbers have a decimal mark {other!r}: give decimal = {other!r}"
    if len(values) - n_numbers <= _FEW_WORDS and n_numbers > len(values) / 2:
        words = [value for value in values if not _NUMBER[decimal].fullmatch(value)]
        shown = ", ".join(map(repr, words[:3])) + (", ..." if len(words) > 3 else "")
        return f"is text, because it holds {shown} beside numbers: give missing = [...] if they mean a missing value"
    return ""


def _declared_kind(column: pd.Series[Any]) -> str:
    from pandas.api import types

    dtype = column.dtype
    if is_text(dtype):
        return "text" if column.notna().any() else "empty"
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    if types.is_timedelta64_dtype(dtype):
        return "duration"
    return "integer" if types.is_integer_dtype(dtype) else "number"


def convert_column(column: pd.Series[Any], type_: ColumnType) -> tuple[pd.Series[Any], int]:
    """Convert a column to a type.

    Parameters
    ----------
    column : Series
        Text of a delimited file, or a column of a declared type.
    type_ : ColumnType
        The type, inferred from this column or from that of the training rows.

    Returns
    -------
    column : Series
        int64, float64, bool, datetime64 or text; Int64 or boolean if values are missing. A column
        of a declared type stays as it is, unless the type is text.
    n_unfit : int
        Number of values that are not of the type. They are missing in the result.
    """
    import pandas as pd

    if not is_raw(column):
        return _convert_declared(column, type_)
    codes, values = pd.factorize(column)
    # The last entry is missing; position -1, that of missing values, takes it.
    converted = _convert_values([*np.asarray(values, dtype=object).tolist(), None], type_)
    n_unfit = int(converted.isna().to_numpy()[codes[codes >= 0]].sum())
    result = converted.iloc[codes]
    result.index, result.name = column.index, column.name
    if not result.isna().any():
        plain = {"Int64": np.dtype(np.int64), "boolean": np.dtype(bool)}.get(str(result.dtype))
        result = result if plain is None else result.astype(plain)
    return result, n_unfit


def _convert_values(values: list[str | None], type_: ColumnType) -> pd.Series[Any]:
    """Convert distinct texts; those that are not of the type become missing."""
    import pandas as pd

    if type_.kind == "text":
        return pd.Series(np.array(values, dtype=object)).infer_objects()
    if type_.kind == "boolean":
        return pd.Series([None if value is None else _BOOLEANS.get(value) for value in values], dtype="boolean")
    if type_.kind == "date":
        texts = [value if value is not None and _DATE.fullmatch(value) else None for value in values]
        dates = pd.Series(np.array(texts, dtype=object))
        return pd.to_datetime(dates, format="ISO8601", utc=_has_zone(texts), errors="coerce")
    number = _NUMBER[type_.decimal]
    texts = [value if value is not None and number.fullmatch(value) else None for value in values]
    if type_.kind == "integer" and all(text is None or _INTEGER.fullmatch(text) for text in texts):
        integers = [None if text is None else _as_integer(text) for text in texts]
        limits = np.iinfo(np.int64)
        if all(value is None or limits.min <= value <= limits.max for value in integers):
            return pd.Series(integers, dtype="Int64")
    numbers = [np.nan if text is None else float(text.replace(",", ".")) for text in texts]
    return pd.Series(numbers, dtype=np.float64)


def _has_zone(texts: list[str | None]) -> bool:
    return any(
        text is not None and (text.endswith("Z") or re.search(r"[+-][0-9]{2}:?[0-9]{2}$", text[10:])) for text in texts
    )


def _dates(values: list[str]) -> pd.Series[Any] | None:
    """Return dates, or None if one of them does not exist, such as February 30."""
    dates = _convert_values(list(values), ColumnType("date"))
    return None if dates.isna().any() else dates


def _convert_declared(column: pd.Series[Any], type_: ColumnType) -> tuple[pd.Series[Any], int]:
    """Return a column of a declared type as it is, or as text if the training rows have text."""
    import pandas as pd

    kind = _declared_kind(column)
    if type_.kind == "text" and kind not in ("text", "empty"):
        texts = [None if lost else _as_text(value) for value, lost in zip(column, column.isna(), strict=True)]
        return pd.Series(np.array(texts, dtype=object), index=column.index, name=column.name).infer_objects(), 0
    if type_.kind == "empty" or kind == "empty":
        return pd.Series(np.nan, index=column.index, name=column.name, dtype=np.float64), int(column.notna().sum())
    if kind == "text" and type_.kind != "text":
        return pd.Series(np.nan, index=column.index, name=column.name, dtype=np.float64), int(column.notna().sum())
    return column, 0


def _as_text(value: Any) -> str:
    # A whole number is a float where its column has missing values.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
