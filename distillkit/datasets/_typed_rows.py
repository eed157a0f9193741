"""Typed columns of a table: inference, conversion, and notes on columns that deserve a look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.datasets._column_types import ColumnType, convert_column, infer_type, is_text
from distillkit.exceptions import DatasetError
from distillkit.tables._learning import is_identifier

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["column_notes", "convert", "infer_types", "target_values"]

_IDENTIFIER_NAME = re.compile(
    r"(^|[\W_])(id|ids|key|index|idx|uuid|guid|row|unnamed_[0-9]+)$|[a-z]I[Dd]$", re.IGNORECASE
)
_IDENTIFIER_ROWS = 10


def infer_types(frame: pd.DataFrame, decimal: str = ".") -> dict[str, ColumnType]:
    """Return the type of each column of a raw table.

    Parameters
    ----------
    frame : DataFrame
        Rows of `RawTable.frame`: all of them, or the training rows alone.
    decimal : {".", ","}
    """
    return {str(name): infer_type(frame[name], decimal) for name in frame.columns}


def convert(
    path: Path, frame: pd.DataFrame, types: Mapping[str, ColumnType], *, strict: bool = True
) -> tuple[pd.DataFrame, list[str]]:
    """Convert rows of a raw table to the given types.

    Parameters
    ----------
    path : Path
        The file, for messages.
    frame : DataFrame
    types : mapping of str to ColumnType
        The types, usually those of the training rows.
    strict : bool, default=True
        Whether values that are not of the type of their column are an error. Otherwise they become
        missing, which a note says.

    Returns
    -------
    frame : DataFrame
    notes : list of str

    Raises
    ------
    DatasetError
        If a column holds infinite values, or if `strict` and a column holds values of another type.
    """
    import pandas as pd

    columns, notes = {}, []
    for name, type_ in types.items():
        columns[name], n_unfit = convert_column(frame[name], type_)
        if n_unfit and type_.kind != "empty":
            kind = {"boolean": "True and False", "date": "dates"}.get(type_.kind, "numbers")
            if strict:
                raise DatasetError(f"{path}: the column {name!r} holds text, but only {kind} in the training rows.")
            notes.append(
                f"{n_unfit} test values of column {name!r} taken as missing, because its training values are {kind}"
            )
    _check_finite(path, columns)
    return pd.DataFrame(columns, index=frame.index), notes


def column_notes(frame: pd.DataFrame, types: Mapping[str, ColumnType], *, encoded_later: bool = False) -> list[str]:
    """Name columns of an unexpected type, and columns that look like identifiers.

    Parameters
    ----------
    frame : DataFrame
        Converted rows, without the target.
    types : mapping of str to ColumnType
    encoded_later : bool
        Whether the caller passes the rows on to a `TableEncoder`, which names the text columns that
        it takes for identifiers itself; they are left out here.
    """
    notes = [f"column {name!r} {types[name].note}" for name in frame.columns if types[name].note]
    for name in frame.columns:
        n_present = int(frame[name].notna().sum())
        if n_present < _IDENTIFIER_ROWS or types[name].kind not in ("text", "integer"):
            continue
        n_distinct = frame[name].nunique()
        if is_text(frame[name].dtype):
            suspicious = is_identifier(n_distinct, n_present, fewest=0)
            if encoded_later and is_identifier(n_distinct, n_present):
                continue
        else:
            suspicious = n_distinct == n_present and (
                _IDENTIFIER_NAME.search(str(name)) is not None or _counts_rows(frame[name])
            )
        if suspicious:
            notes.append(
                f"column {name!r} looks like an identifier, having {n_distinct} different values in {n_present} rows: "
                "the option drop (--drop) leaves it out"
            )
    return notes


def _counts_rows(column: pd.Series[Any]) -> bool:
    """Return whether whole numbers count the rows one by one."""
    return bool(column.notna().all() and (column.diff().iloc[1:] == 1).all())


def _check_finite(path: Path, columns: Mapping[str, pd.Series[Any]]) -> None:
    """Raise an error that names the columns with infinite values, if there are any."""
    counts = {
        name: int(np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan)).sum())
        for name, column in columns.items()
        if column.dtype.kind == "f"
    }
    infinite = [f"{name!r} ({count})" for name, count in counts.items() if count]
    if infinite:
        listed = ", ".join(infinite[:5]) + (", ..." if len(infinite) > 5 else "")
        raise DatasetError(
            f"{path}: there are infinite values in column {listed}: replace them or drop those rows first."
        )


def target_values(column: pd.Series[Any]) -> np.ndarray:
    """Return a converted target column without missing values as an array.

    Dates become days since 1970 and durations become seconds; text becomes an array of objects.
    """
    if is_text(column.dtype):
        texts = column.to_numpy(dtype=object)
        return texts if set(map(type, texts)) == {str} else np.array(list(map(str, texts)), dtype=object)
    if column.dtype.kind == "M":
        # Microseconds reach from the year -290000 to 290000, whereas nanoseconds begin in 1677.
        local = column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
        return local.to_numpy().astype("datetime64[us]").astype(np.int64) / 1e6 / 86400
    if column.dtype.kind == "m":
        return np.asarray(column.dt.total_seconds(), dtype=np.float64)
    plain = getattr(column.dtype, "numpy_dtype", None)
    return column.to_numpy() if plain is None else column.to_numpy(dtype=plain)
