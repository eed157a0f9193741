"""Types of the columns of a table: inferred from the text of a file, and applied to its rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["ColumnType", "convert_column", "infer_type", "is_raw", "is_text"]

_BOOLEANS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_PADDED = re.compile(r"[+-]?0[0-9].*", re.DOTALL)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?( ?(Z|[+-][0-9]{2}:?[0-9]{2}))?)?"
    r"|[0-9]{8}T[0-9]{6}"
)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([ ,.'\u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*([.,][0-9]+)?")
_OTHER_DATE = re.compile(r"[0-9]{1,4}([./-])[0-9]{1,2}\1[0-9]{1,4}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?")
_WITH_SIGN = re.compile(r"[+-]?([$€£¥] ?)?[0-9][0-9.,]*( ?[%$€£¥])?")
_FEW_WORDS = 5
_MOST_DIGITS = 40  # Python refuses to convert very long texts, which are beyond every range in any case


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
    if not len(values):
        return ColumnType("empty", decimal)
    if len(values) <= len(_BOOLEANS) and all(value in _BOOLEANS for value in values.to_pylist()):
        return ColumnType("boolean", decimal)
    n_numbers = int(np.count_nonzero(_matches(values, _NUMBER[decimal])))
    if n_numbers == len(values):
        return _type_of_numbers(values, decimal)
    words = values.to_pylist()
    if all(map(_DATE.fullmatch, words)):
        lost = _as_dates(words).isna().to_numpy()
        note = f"is text, because there is no day {words[int(lost.argmax())]!r}: correct it"
        return ColumnType("text", decimal, note) if lost.any() else ColumnType("date", decimal)
    return ColumnType("text", decimal, _note_on_text(words, n_numbers, decimal))


def _distinct(column: pd.Series[Any]) -> pa.Array:
    """Return the different texts of a raw column, without missing ones."""
    encoded = _encoded(column)
    return encoded.dictionary.take(encoded.indices.unique().drop_null())


def _encoded(column: pd.Series[Any]) -> pa.DictionaryArray:
    """Return a raw column as codes and different texts, some of which may be unused."""
    import pyarrow as pa

    array = pa.array(column.array)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    if not isinstance(array, pa.ChunkedArray):
        return array
    array = array.unify_dictionaries().combine_chunks()
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


def _used(encoded: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return codes and texts without unused texts, such as those of other rows of a file."""
    import pyarrow as pa
    from pyarrow import compute

    used = encoded.indices.unique().drop_null()
    if len(used) == len(encoded.dictionary):
        return encoded
    return pa.DictionaryArray.from_arrays(compute.index_in(encoded.indices, used), encoded.dictionary.take(used))


def _matches(values: pa.Array, pattern: re.Pattern[str]) -> np.ndarray:
    """Return where texts match a pattern as a whole; missing ones do not."""
    from pyarrow import compute

    matches = compute.match_substring_regex(values, rf"\A(?:{pattern.pattern})\z")
    return np.asarray(matches.fill_null(False).to_numpy(zero_copy_only=False))  # noqa: FBT003 (the value)


def _type_of_numbers(values: pa.Array, decimal: str) -> ColumnType:
    from pyarrow import compute

    padded = np.asarray(compute.match_substring_regex(values, r"\A[+-]?0[0-9]").to_numpy(zero_copy_only=False))
    if padded.any():
        first = values[int(padded.argmax())].as_py()
        return ColumnType("text", decimal, f"is text, because {first!r} begins with a zero as codes do")
    if not _matches(values, _INTEGER).all():
        return ColumnType("number", decimal)
    if _as_integers(values) is None:
        long = next(value for value in values.to_pylist() if not _fits(value))
        return ColumnType("text", decimal, f"is text, because {long[:40]} is beyond the range of 64-bit integers")
    return ColumnType("integer", decimal)


def _fits(value: str) -> bool:
    """Return whether a whole number fits into 64 bits."""
    limits = np.iinfo(np.int64)
    return len(value) <= _MOST_DIGITS and limits.min <= int(value) <= limits.max


def _as_integers(values: pa.Array) -> pa.Array | None:
    """Return texts of whole numbers as integers, or None if one of them is beyond 64 bits."""
    import pyarrow as pa

    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:  # also raised for the sign in "+1"
        texts = values.to_pylist()
    if not all(text is None or _fits(text) for text in texts):
        return None
    return pa.array([None if text is None else int(text) for text in texts], pa.int64())


def _as_floats(values: pa.Array) -> np.ndarray:
    """Return texts of numbers with a decimal point or comma as float64, NaN where missing."""
    import pyarrow as pa
    from pyarrow import compute

    values = compute.replace_substring(values, ",", ".")
    try:
        return np.asarray(values.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        return np.array([np.nan if text is None else float(text) for text in values.to_pylist()], dtype=np.float64)


def _note_on_text(values: list[str], n_numbers: int, decimal: str) -> str:
    other = "," if decimal == "." else "."
    is_other = all(map(_NUMBER[other].fullmatch, values))
    if all(map(_GROUPED.fullmatch, values)):
        remedy = f", or give decimal = {other!r} if they are decimal marks" if is_other else ""
        return f"is text, because its numbers hold separators of thousands: write them without{remedy}"
    if all(map(_OTHER_DATE.fullmatch, values)):
        return f"is text, because {values[0]!r} is no date of ISO 8601: write dates as 2024-01-31"
    if not n_numbers and not is_other and all(map(_WITH_SIGN.fullmatch, values)):
        return f"is text, because its numbers carry signs, as in {values[0]!r}: write them without"
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
    if not is_raw(column):
        return _convert_declared(column, type_)
    encoded = _used(_encoded(column))
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    converted = _convert_values(encoded.dictionary, type_)
    n_unfit = int(converted.isna().to_numpy()[codes[codes >= 0]].sum())
    # Position -1, that of missing values, takes the last entry, which is missing.
    result = converted.reindex(range(len(converted) + 1)).iloc[codes]
    result.index, result.name = column.index, column.name
    if not result.isna().any():
        plain = {"Int64": np.dtype(np.int64), "boolean": np.dtype(bool)}.get(str(result.dtype))
        result = result if plain is None else result.astype(plain)
    return result, n_unfit


def _convert_values(values: pa.Array, type_: ColumnType) -> pd.Series[Any]:
    """Convert distinct texts; those that are not of the type become missing."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import compute

    if type_.kind == "text":
        return pd.Series(np.array(values.to_pylist(), dtype=object)).infer_objects()
    if type_.kind == "boolean":
        return pd.Series([_BOOLEANS.get(value) for value in values.to_pylist()], dtype="boolean")
    if type_.kind == "date":
        return _as_dates(values.to_pylist())
    numbers = compute.if_else(pa.array(_matches(values, _NUMBER[type_.decimal])), values, pa.scalar(None, pa.string()))
    if (
        type_.kind == "integer"
        and (_matches(numbers, _INTEGER) | numbers.is_null().to_numpy(zero_copy_only=False)).all()
    ):
        integers = _as_integers(numbers)
        if integers is not None:
            gaps = integers.is_null().to_numpy(zero_copy_only=False)
            return pd.Series(pd.arrays.IntegerArray(integers.fill_null(0).to_numpy(), gaps))
    return pd.Series(_as_floats(numbers))


def _as_dates(values: list[str]) -> pd.Series[Any]:
    """Convert texts to dates; those that are none become missing."""
    import pandas as pd

    texts = [value if _DATE.fullmatch(value) else None for value in values]
    dates = pd.Series(np.array(texts, dtype=object))
    return pd.to_datetime(dates, format="ISO8601", utc=_has_zone(texts), errors="coerce")


def _has_zone(texts: list[str | None]) -> bool:
    return any(
        text is not None and (text.endswith("Z") or re.search(r"[+-][0-9]{2}:?[0-9]{2}$", text[10:])) for text in texts
    )


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
