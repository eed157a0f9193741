"""Reading a column of a frame as numbers, truth values, times or labels, whatever its container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.exceptions import DataError

__all__ = ["Labels", "Numbers", "Times", "Values", "read_arrow", "read_pandas"]


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numbers of a column.

    Parameters
    ----------
    data : ndarray of shape (n,), float64
        NaN where missing.
    is_boolean, is_integer : bool
        Whether the column holds truth values, or integers by its type.
    bounds : tuple of int or None
        Smallest and largest value of a column of integers, exactly.
    """

    data: np.ndarray
    is_boolean: bool = False
    is_integer: bool = False
    bounds: tuple[int, int] | None = None

    @property
    def missing(self) -> np.ndarray:
        """Where values are missing."""
        gaps: np.ndarray = np.isnan(self.data)
        return gaps


@dataclass(frozen=True, eq=False)
class Times:
    """Dates, times or durations of a column.

    Parameters
    ----------
    data : ndarray of shape (n,), datetime64 or timedelta64
        NaT where missing.
    is_date : bool
        Whether the column holds days without a time.
    """

    data: np.ndarray
    is_date: bool = False

    @property
    def missing(self) -> np.ndarray:
        """Where values are missing."""
        gaps: np.ndarray = np.isnat(self.data)
        return gaps


@dataclass(frozen=True, eq=False)
class Labels:
    """Text and other labels of a column.

    Parameters
    ----------
    codes : ndarray of shape (n,), int
        Positions in `levels`; -1 where missing.
    levels : list
        The different values.
    is_text : bool
        Whether all levels are text.
    """

    codes: np.ndarray
    levels: list[Any]

    @property
    def missing(self) -> np.ndarray:
        """Where values are missing."""
        return self.codes < 0

    @property
    def is_text(self) -> bool:
        """Whether all levels are text."""
        return all(isinstance(level, str) for level in self.levels)


Values = Numbers | Times | Labels


def read_pandas(column: Any) -> Values:
    """Read a pandas Series.

    Raises
    ------
    DataError
        If the column holds values that cannot be compared, such as lists, or complex numbers.
    """
    import pandas as pd
    from pandas.api import types

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return Labels(column.cat.codes.to_numpy().astype(np.int64), dtype.categories.tolist())
    if types.is_complex_dtype(dtype):
        raise DataError(f"column {column.name!r} holds complex numbers: give real and imaginary part as two columns.")
    if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        if isinstance(dtype, pd.DatetimeTZDtype):
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return Times(column.to_numpy())
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        return _pandas_numbers(column, types.is_bool_dtype(dtype), types.is_integer_dtype(dtype))
    if isinstance(dtype, pd.ArrowDtype):
        import pyarrow as pa

        return read_arrow(pa.chunked_array([pa.array(column)]), column.name)
    if types.is_object_dtype(dtype):
        return _read_objects(column)
    return _factorized(column)


def _pandas_numbers(column: Any, is_boolean: bool, is_integer: bool) -> Numbers:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    bounds = None
    if is_integer and not is_boolean and column.notna().any():
        bounds = (int(column.min()), int(column.max()))
    return Numbers(values, is_boolean, is_integer and not is_boolean, bounds)


def _read_objects(column: Any) -> Values:
    """Read a Series of Python objects by what these are."""
    from pandas.api import types

    kind = types.infer_dtype(column, skipna=True)
    gaps = column.isna().to_numpy()
    present = column.to_numpy()[~gaps]
    if kind in ("integer", "floating", "mixed-integer-float", "decimal", "boolean"):
        values = np.full(len(gaps), np.nan)
        values[~gaps] = present.astype(np.float64)
        is_integer = kind == "integer"
        return Numbers(
            values, kind == "boolean", is_integer, (int(min(present)), int(max(present))) if is_integer else None
        )
    if kind in ("date", "datetime", "datetime64", "timedelta", "timedelta64"):
        import pandas as pd

        name = "datetime64" if kind.startswith("date") else "timedelta64"
        unit = "D" if kind == "date" else "us"
        times = np.full(len(gaps), "NaT", dtype=f"{name}[{unit}]")
        if kind == "date":
            times[~gaps] = present.astype("datetime64[D]")
        else:
            index = (
                pd.to_datetime(present, utc=True).tz_localize(None)
                if name == "datetime64"
                else pd.to_timedelta(present)
            )
            times[~gaps] = index.to_numpy().astype(f"{name}[us]")
        return Times(times, is_date=kind == "date")
    return _factorized(column)


def _factorized(column: Any) -> Labels:
    import pandas as pd

    try:
        codes, levels = pd.factorize(column, use_na_sentinel=True)
    except TypeError as exc:
        raise DataError(
            f"column {column.name!r} holds values that cannot be compared ({exc}): turn them into text first."
        ) from exc
    return Labels(codes.astype(np.int64), [_plain(level) for level in levels.tolist()])


def _plain(level: Any) -> Any:
    return level.item() if isinstance(level, np.generic) else level


def read_arrow(column: Any, name: Any) -> Values:
    """Read a pyarrow ChunkedArray.

    Raises
    ------
    DataError
        If the column holds lists, structures or other values that are neither numbers, truth
        values, times nor labels.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds, dtype = pa.types, column.type
    if kinds.is_null(dtype):
        return Labels(np.full(len(column), -1), [])
    if kinds.is_boolean(dtype) or kinds.is_integer(dtype) or kinds.is_floating(dtype) or kinds.is_decimal(dtype):
        numbers = column.cast(pa.int8()) if kinds.is_boolean(dtype) else column
        values = numbers.cast(pa.float64(), safe=False).to_numpy()
        bounds = None
        if kinds.is_integer(dtype) and column.null_count < len(column):
            bounds = tuple(pc.min_max(column).as_py().values())
        return Numbers(values, kinds.is_boolean(dtype), kinds.is_integer(dtype), bounds)
    if kinds.is_date(dtype):
        return Times(column.cast(pa.date32()).to_numpy().astype("datetime64[D]"), is_date=True)
    if kinds.is_timestamp(dtype):
        return Times(column.cast(pa.timestamp(dtype.unit)).to_numpy().astype(f"datetime64[{dtype.unit}]"))
    if kinds.is_duration(dtype):
        return Times(column.to_numpy().astype(f"timedelta64[{dtype.unit}]"))
    if kinds.is_nested(dtype) and not kinds.is_dictionary(dtype):
        raise _unreadable(name, dtype)
    try:
        encoded = column if kinds.is_dictionary(dtype) else column.dictionary_encode()
    except pa.ArrowNotImplementedError as exc:  # such as the periods of pandas
        raise _unreadable(name, dtype) from exc
    encoded = encoded.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], dtype)
    codes = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    return Labels(codes, encoded.dictionary.to_pylist())


def _unreadable(name: Any, dtype: Any) -> DataError:
    """Return the error for a column that holds no numbers, truth values, times or labels."""
    return DataError(f"column {name!r} holds values of type {dtype}: turn them into text or numbers first.")
