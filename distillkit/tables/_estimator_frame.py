"""Frames of the columns of a mixed table in types that estimators accept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.tables._columns import CategoryColumn, Column, OmittedColumn, TextNumberColumn, TimeColumn
from distillkit.tables._conversion import as_numbers, as_times
from distillkit.tables._encoder import TableEncoder, read_columns
from distillkit.tables._frames import container_of
from distillkit.tables._reading import Values

__all__ = ["MOST_LEVELS", "estimator_frame"]

MOST_LEVELS = 255
"""Largest number of levels of a category, which is that of scikit-learn's histogram trees."""


@dataclass(frozen=True, eq=False)
class _Categories:
    """A column of categories: the position of each value in the levels, -1 where missing."""

    codes: np.ndarray
    levels: list[Any]
    is_ordered: bool = False


def estimator_frame(encoder: TableEncoder, X: Any, container: str | None = None) -> Any:
    """Return a frame of the same columns in types that estimators accept.

    - Numbers, also those that the table holds as text or as objects, and truth values are float64.
    - Text and categories are categories, whose levels are those of the training rows of the
      encoder: the `MOST_LEVELS` most frequent ones. Other values are missing. Levels are in the
      order that the type of the training column declares, otherwise sorted. If they are neither all
      text nor all numbers, and in polars in any case, they are text.
    - Dates and times are days since the first day of 1970 (of UTC, with a time zone), and durations
      are days.
    - Identifiers, and columns without any value in the training rows, are categories without
      levels, so that all of their values are missing.

    Parameters
    ----------
    encoder : TableEncoder
        Fitted on the training rows.
    X : pandas, polars or pyarrow frame of shape (n, d)
        Rows with the columns of the training rows, found by name.
    container : {"pandas", "polars", "pyarrow", None}, default=None
        Library of the result; None means that of X.

    Returns
    -------
    frame of shape (n, d)
        With the columns in the order of the training rows. The index of a pandas frame is kept.

    Raises
    ------
    DataError
        If X is no frame, lacks a column, or holds values of another kind than the training rows.
    """
    columns = [
        _categories(column, values, encoder, position) if _is_labels(column) else _numbers(column, values, name)
        for position, (name, column, values) in enumerate(
            zip(encoder.names_, encoder.columns_, read_columns(X, encoder.names_), strict=True)
        )
    ]
    container = container or container_of(X)
    if container == "pandas":
        return _pandas_frame(columns, encoder.names_, getattr(X, "index", None))
    if container == "polars":
        import polars as pl

        return pl.DataFrame(
            {str(name): _polars_column(column) for name, column in zip(encoder.names_, columns, strict=True)}
        )
    import pyarrow as pa

    return pa.table({name: _arrow_column(column) for name, column in zip(encoder.names_, columns, strict=True)})


def _is_labels(column: Column) -> bool:
    return isinstance(column, (CategoryColumn, OmittedColumn))


def _numbers(column: Column, values: Values, name: Any) -> np.ndarray:
    """Return a column as float64, NaN where missing."""
    if not isinstance(column, TimeColumn):
        return as_numbers(values, name, blank_is_missing=isinstance(column, TextNumberColumn))
    times = as_times(values, column.dtype, name)
    day = np.timedelta64(1, "D")
    return (times if column.is_duration else times - np.datetime64(0, "D").astype(column.dtype)) / day


def _categories(column: Column, values: Values, encoder: TableEncoder, position: int) -> _Categories:
    """Return a column as codes of the levels of the training rows, -1 for all other values."""
    if not isinstance(column, CategoryColumn):
        return _Categories(np.full(len(values.missing), -1), [])
    declared, is_ordered = encoder.schema_.declared_levels(position)
    names, places = _ordered_levels(column.levels[:MOST_LEVELS], declared)
    labels = column.labels(values, encoder.names_[position])
    codes = np.array([*(places.get(level, -1) for level in labels.levels), -1])
    return _Categories(codes[labels.codes], names, is_ordered)


def _ordered_levels(levels: tuple[Any, ...], declared: list[Any] | None) -> tuple[list[Any], dict[Any, int]]:
    """Return the names of levels in their order, and the place of each level in it."""
    ranks = {level: rank for rank, level in enumerate(declared or ())}
    is_text = all(isinstance(level, str) for level in levels)
    is_number = all(isinstance(level, (int, float)) and not isinstance(level, bool) for level in levels)
    name_of = {level: level if is_text or is_number else str(level) for level in levels}
    names = sorted(set(name_of.values()))
    if declared is not None:
        first = {name_of[level]: ranks.get(level, len(ranks)) for level in reversed(levels)}
        names.sort(key=first.__getitem__)
    place_of = {name: place for place, name in enumerate(names)}
    return names, {level: place_of[name] for level, name in name_of.items()}


def _pandas_frame(columns: list[np.ndarray | _Categories], names: tuple[Any, ...], index: Any) -> Any:
    import pandas as pd

    data = {
        position: pd.Categorical.from_codes(column.codes, pd.Index(column.levels), ordered=column.is_ordered)
        if isinstance(column, _Categories)
        else column
        for position, column in enumerate(columns)
    }
    frame = pd.DataFrame(data, index=index)
    frame.columns = pd.Index(names)
    return frame


def _polars_column(column: np.ndarray | _Categories) -> Any:
    import polars as pl

    if not isinstance(column, _Categories):
        return pl.Series(column, nan_to_null=True)
    levels = [str(level) for level in column.levels]
    labels = np.array([*levels, None], dtype=object)[column.codes]
    return pl.Series(labels.tolist(), dtype=pl.Enum(levels))


def _arrow_column(column: np.ndarray | _Categories) -> Any:
    import pyarrow as pa

    if not isinstance(column, _Categories):
        return pa.array(column, from_pandas=True)
    codes = pa.array(column.codes.astype(np.int32), mask=column.codes < 0)
    # Without any level, pyarrow could not convert the column to NumPy, which estimators do.
    dictionary = pa.array(column.levels or [""])
    return pa.DictionaryArray.from_arrays(codes, dictionary, ordered=column.is_ordered)
