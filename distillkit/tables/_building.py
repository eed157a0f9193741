"""Building columns of pandas, polars and pyarrow in their original types from decoded values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from distillkit.tables._reading import Labels, Numbers, Times, Values

__all__ = ["arrow_column", "pandas_column"]


def pandas_column(values: Values, dtype: Any, *, rounded: bool, missing: Any = np.nan) -> Any:
    """Return decoded values as a pandas array of the original dtype.

    Parameters
    ----------
    values : Numbers, Times or Labels
    dtype : pandas dtype
    rounded : bool
        Whether integers are integers again; otherwise they are floats.
    missing : None or NaN
        Missing value in columns of objects.
    """
    import pandas as pd

    if isinstance(values, Labels):
        if isinstance(dtype, pd.CategoricalDtype):
            return pd.Categorical(_objects(values, None), dtype=dtype)
        if not values.levels and not pd.api.types.is_object_dtype(dtype):  # all missing, in a column of any type
            return pd.Series([None] * len(values.codes), dtype=dtype)
        return pd.Series(_objects(values, missing), dtype=object).astype(dtype)
    if isinstance(values, Times):
        return _pandas_times(values, dtype, missing)
    return _pandas_numbers(values, dtype, rounded, missing)


def _objects(values: Labels, missing: Any) -> np.ndarray:
    """Return labels as an array of objects."""
    levels = np.empty(len(values.levels) + 1, dtype=object)
    levels[:-1] = values.levels
    levels[-1] = missing  # the code of missing values is -1
    labels: np.ndarray = levels[values.codes]
    return labels


def _pandas_times(values: Times, dtype: Any, missing: Any) -> Any:
    import pandas as pd

    if values.is_date and pd.api.types.is_object_dtype(dtype):
        dates = pd.Series(values.data.astype(object), dtype=object)  # datetime.date
        return dates.where(~values.missing, missing)
    unit = np.datetime_data(values.data.dtype)[0]
    times = values.data if unit != "D" else values.data.astype(f"{values.data.dtype.name.partition('[')[0]}[s]")
    column = pd.Series(times)
    if isinstance(dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_localize("UTC").dt.tz_convert(dtype.tz)
    return column.astype(dtype)


def _pandas_numbers(values: Numbers, dtype: Any, rounded: bool, marker: Any) -> Any:  # noqa: PLR0911 (one per type)
    import pandas as pd
    from pandas.api import types

    missing = values.missing
    filled = np.where(missing, 0.0, values.data)
    if types.is_object_dtype(dtype):
        convert = bool if values.is_boolean else int if values.is_integer and rounded else float
        objects = [marker if gap else convert(x) for x, gap in zip(filled.tolist(), missing, strict=True)]
        return pd.Series(objects, dtype=object)
    if types.is_bool_dtype(dtype):
        truth = pd.arrays.BooleanArray(filled >= 0.5, missing)
        return pd.Series(truth).astype(object if isinstance(dtype, np.dtype) and missing.any() else dtype)
    is_integer = types.is_integer_dtype(dtype)
    if isinstance(dtype, np.dtype):
        if is_integer:
            return _integers(filled, dtype) if rounded and not missing.any() else values.data
        return values.data.astype(dtype)
    if is_integer and rounded:
        unsigned = types.is_unsigned_integer_dtype(dtype)
        integers = _integers(filled, np.dtype(np.uint64 if unsigned else np.int64))
        return pd.Series(pd.arrays.IntegerArray(integers, missing)).astype(dtype)
    floats = pd.Series(pd.arrays.FloatingArray(filled, missing))
    if not is_integer:
        return floats.astype(dtype)
    return floats.astype("double[pyarrow]") if isinstance(dtype, pd.ArrowDtype) else floats


def _integers(numbers: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Return whole numbers as integers, clipped to what the dtype holds."""
    limits = np.iinfo(dtype)
    high = float(limits.max)
    if int(high) > limits.max:  # the nearest float is beyond the largest integer
        high = float(np.nextafter(high, 0))
    integers: np.ndarray = np.clip(np.rint(numbers), float(limits.min), high).astype(dtype)
    return integers


def arrow_column(values: Values, dtype: Any, *, rounded: bool, levels: list[Any] | None = None) -> Any:  # noqa: PLR0911 (one per type)
    """Return decoded values as a pyarrow array of the original type; see `pandas_column`.

    `levels` are all levels of a column of a dictionary type, if they are known.
    """
    import pyarrow as pa

    if isinstance(values, Labels):
        labels = _objects(values, None).tolist()
        if pa.types.is_dictionary(dtype) and levels is not None:
            dictionary = pa.array(levels, type=dtype.value_type)
            positions = {level: position for position, level in enumerate(levels)}
            codes = pa.array([positions.get(label) for label in labels], type=dtype.index_type)
            return pa.DictionaryArray.from_arrays(codes, dictionary, ordered=dtype.ordered)
        if pa.types.is_dictionary(dtype):
            return pa.array(labels, type=dtype.value_type).dictionary_encode().cast(dtype)
        return pa.array(labels, type=dtype)
    if isinstance(values, Times):
        return pa.array(values.data).cast(dtype)
    missing = values.missing
    filled = np.where(missing, 0.0, values.data)
    if values.is_boolean:
        return pa.array(filled >= 0.5, mask=missing).cast(dtype)
    if pa.types.is_decimal(dtype):
        places = Decimal(1).scaleb(-dtype.scale)
        return pa.array(
            [
                None if gap else Decimal(str(x)).quantize(places)
                for x, gap in zip(filled.tolist(), missing, strict=True)
            ],
            type=dtype,
        )
    if pa.types.is_integer(dtype):
        if not rounded:
            return pa.array(filled, mask=missing)
        unsigned = pa.types.is_unsigned_integer(dtype)
        return pa.array(_integers(filled, np.dtype(np.uint64 if unsigned else np.int64)), mask=missing).cast(dtype)
    return pa.array(filled, mask=missing).cast(dtype)
