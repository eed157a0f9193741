"""Frames of pandas, polars and pyarrow: recognition, selection of rows, and new frames."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from distillkit.exceptions import DataError

__all__ = [
    "aligned",
    "column_names",
    "container_of",
    "frame_like",
    "is_frame",
    "needs_encoding",
    "polars_frame",
    "refuse_empty",
    "row_count",
    "series_like",
    "take_rows",
    "to_container",
    "to_pandas",
]

_CONTAINERS = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "Table"}
_NUMBERS = {"integer", "floating", "mixed-integer-float"}


def container_of(X: Any) -> str | None:
    """Return "pandas", "polars" or "pyarrow" for an eager frame of these libraries, else None."""
    for name, cls in _CONTAINERS.items():
        library = sys.modules.get(name)
        # A library that is only partly imported, or that stands in for it, may lack the class.
        if library is not None and isinstance(X, getattr(library, cls, ())):
            return name
    return None


def is_frame(X: Any) -> bool:
    """Whether X is an eager pandas, polars or pyarrow frame; imports none of these."""
    return container_of(X) is not None


def refuse_lazy(X: Any) -> None:
    """Raise an error for a polars LazyFrame, which has no rows yet."""
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(X, getattr(polars, "LazyFrame", ())):
        raise DataError("X is a polars LazyFrame, which holds no rows yet: pass X.collect().")


def _narwhals(frame: Any) -> Any:
    import narwhals.stable.v2 as nw

    return nw.from_native(frame, eager_only=True)


def row_count(frame: Any) -> int:
    """Return the number of rows of a frame."""
    return int(frame.shape[0])


def refuse_empty(frame: Any) -> None:
    """Raise an error for a frame without rows or without columns."""
    rows, columns = frame.shape
    if not rows or not columns:
        raise DataError(
            f"X has {rows} rows and {columns} columns, and 0 sample(s) or 0 feature(s) are too few: at least one of "
            "each is needed."
        )


def column_names(frame: Any) -> list[Any]:
    """Return the names of the columns; those of pandas need not be text.

    Raises
    ------
    DataError
        If two columns have the same name.
    """
    names = list(frame.column_names if container_of(frame) == "pyarrow" else frame.columns)
    repeated = sorted({str(name) for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        raise DataError(f"X has several columns named {', '.join(repeated)}: give each column its own name.")
    return names


def take_rows(frame: Any, indices: Any) -> Any:
    """Return rows by position, with their values and dtypes and, in pandas, their index labels."""
    if container_of(frame) == "pandas":
        return frame.iloc[indices]
    positions = np.arange(row_count(frame))[indices]
    try:
        return _narwhals(frame)[positions.tolist(), :].to_native()
    except NotImplementedError as exc:  # pyarrow cannot select rows of every type, such as string_view
        raise DataError(f"no rows of X can be selected ({exc}): cast the columns of this type to another one.") from exc


def aligned(X: Any, names: tuple[Any, ...] | None) -> Any:
    """Return a frame with its columns in the order of `names`; anything but a frame as it is.

    A frame tells its columns apart by their names, so that their order must not decide which values
    are compared.

    Parameters
    ----------
    X : array-like of shape (n, ...), or frame of shape (n, d)
    names : tuple of column names or None
        Names of the columns that X is compared with. None leaves the order as it is, as do names of
        which the frame has none that is text.

    Raises
    ------
    DataError
        If a frame with named columns lacks one of the names, or has a column with another name.
    """
    if names is None or not is_frame(X):
        return X
    columns = column_names(X)
    if columns == list(names) or not all(isinstance(name, str) for name in columns):
        return X
    missing = [str(name) for name in names if name not in set(columns)]
    unknown = [str(name) for name in columns if name not in set(names)]
    if missing or unknown:
        problems = [f"lacks {_listed(missing)}"] * bool(missing) + [f"has also {_listed(unknown)}"] * bool(unknown)
        raise DataError(
            f"X {' and '.join(problems)}, unlike the rows that were distilled: give a frame with the same columns, "
            f"{_listed([str(name) for name in names])}, in any order."
        )
    return X[list(names)] if container_of(X) == "pandas" else X.select(list(names))


def _listed(names: list[str]) -> str:
    """Return names for a message, at most five of them."""
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")


def frame_like(original: Any, rows: np.ndarray, names: Any = None) -> Any:
    """Return numbers (m, d) as a new polars or pyarrow frame with the names of `original`."""
    names = column_names(original) if names is None else list(names)
    if container_of(original) == "polars":
        return sys.modules["polars"].DataFrame({name: rows[:, i] for i, name in enumerate(names)})
    return sys.modules["pyarrow"].table({name: rows[:, i] for i, name in enumerate(names)})


def series_like(values: np.ndarray, indices: np.ndarray | None, original: Any) -> Any:
    """Return labels as a polars or pyarrow column like `original`, or None for other containers.

    A frame of one column gives a frame.

    Parameters
    ----------
    values : ndarray of shape (m,)
    indices : ndarray of shape (m,) or None
        Positions of the labels in `original`, if rows were selected.
    original : array-like
        The y given by the user.
    """
    polars, pyarrow = sys.modules.get("polars"), sys.modules.get("pyarrow")
    column: Any
    if container_of(original) in ("polars", "pyarrow"):
        (name,) = column_names(original)
        column = series_like(values, indices, original[name])
        return column.to_frame() if container_of(original) == "polars" else sys.modules["pyarrow"].table({name: column})
    if polars is not None and isinstance(original, polars.Series):
        if indices is not None:
            return original.gather(indices)
        column = polars.Series(original.name, values.tolist() if values.dtype.kind in "OU" else values)
        keeps_floats = values.dtype.kind == "f" and original.dtype.is_integer()
        return column if keeps_floats else column.cast(original.dtype)
    if pyarrow is not None and isinstance(original, (pyarrow.Array, pyarrow.ChunkedArray)):
        if indices is not None:
            return original.take(pyarrow.array(indices))
        return _arrow_labels(values, original.type)
    return None


def _arrow_labels(values: np.ndarray, dtype: Any) -> Any:
    """Return labels as a pyarrow array of a type; numbers stay floats if it is one of integers."""
    import pyarrow as pa

    is_dictionary = pa.types.is_dictionary(dtype)
    value_type = dtype.value_type if is_dictionary else dtype
    column = pa.array(values.tolist() if values.dtype.kind in "OU" else values)
    if values.dtype.kind == "f" and pa.types.is_integer(value_type):
        return column
    column = column.cast(value_type)
    if not is_dictionary:
        return column
    encoded = column.dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        encoded.indices.cast(dtype.index_type), encoded.dictionary, ordered=dtype.ordered
    )


def to_pandas(frame: Any) -> Any:
    """Return a frame as a pandas DataFrame; polars goes by way of Arrow."""
    container = container_of(frame)
    if container == "pandas":
        return frame
    return (frame.to_arrow() if container == "polars" else frame).to_pandas()


def to_container(frame: Any, container: str) -> Any:
    """Return a frame as one of pandas or polars, with the types of its columns."""
    if container == container_of(frame):
        return frame
    if container == "pandas":
        return to_pandas(frame)
    import polars as pl

    return pl.from_pandas(frame) if container_of(frame) == "pandas" else polars_frame(frame)


def polars_frame(table: Any) -> Any:
    """Return a pyarrow table as a polars frame with the same names.

    polars itself renames a column without a name to ``"column_0"``.
    """
    import polars as pl

    frame: Any = pl.from_arrow(table)
    frame.columns = table.column_names
    return frame


def needs_encoding(frame: Any) -> bool:
    """Whether a frame holds anything but numbers and booleans without gaps."""
    if container_of(frame) == "pandas":
        return any(_needs_encoding(frame.iloc[:, position]) for position in range(frame.shape[1]))
    import narwhals.stable.v2 as nw

    for column in nw.from_native(frame, eager_only=True).iter_columns():
        if not (column.dtype.is_numeric() or column.dtype == nw.Boolean) or column.dtype == nw.Decimal:
            return True
        if column.null_count() or (column.dtype.is_float() and bool(column.is_nan().any())):
            return True
    return False


def _needs_encoding(column: Any) -> bool:
    from pandas.api import types

    if types.is_object_dtype(column.dtype):
        return bool(column.isna().any()) or types.infer_dtype(column, skipna=False) not in _NUMBERS
    if isinstance(column.dtype, sys.modules["pandas"].SparseDtype):
        return False  # scikit-learn refuses it in its own words
    return not types.is_numeric_dtype(column.dtype) or bool(column.isna().any())
