"""Values of one column on both sides: numbers, dates or labels, with codes that both share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables._columns import BooleanColumn, CategoryColumn, Column, NumberColumn, OmittedColumn, TimeColumn
from distillkit.tables._conversion import as_labels, as_numbers, as_times
from distillkit.tables._reading import Labels, Numbers, Values, read_pandas

__all__ = ["LabelPair", "NumberPair", "labels_of", "pair_of"]

_SECOND = np.timedelta64(1, "s")


@dataclass(frozen=True, eq=False)
class NumberPair:
    """Numbers of both sides, NaN where missing.

    Parameters
    ----------
    real, small : ndarray of float64
    kind : {"number", "date", "duration"}
        Dates are seconds since 1970, durations seconds.
    is_whole : bool
        Whether all real numbers are whole.
    """

    real: np.ndarray
    small: np.ndarray
    kind: str = "number"
    is_whole: bool = False


@dataclass(frozen=True, eq=False)
class LabelPair:
    """Labels of both sides as positions in the levels, -1 where missing.

    Parameters
    ----------
    real, small : ndarray of int
    levels : tuple
        Levels of the real rows, the most frequent first, then those that only the small set has.
    n_known : int
        Number of levels that the real rows have.
    kind : {"category", "boolean", "identifier", "empty"}
    """

    real: np.ndarray
    small: np.ndarray
    levels: tuple[Any, ...]
    n_known: int
    kind: str = "category"


def pair_of(real: Any, small: Any, column: Column, name: Any) -> NumberPair | LabelPair:
    """Read a column of both sides as what the encoder found in the real rows.

    Parameters
    ----------
    real, small : pandas Series
    column : column of a TableEncoder
    name : str

    Raises
    ------
    DataError
        If the small set holds values of another kind.
    """
    values, others = read_pandas(real), read_pandas(small)
    try:
        if isinstance(column, TimeColumn):
            return _times(values, others, column, name)
        if not isinstance(column, BooleanColumn | CategoryColumn | OmittedColumn):
            numbers = [as_numbers(each, name, blank_is_missing=True) for each in (values, others)]
            is_whole = isinstance(column, NumberColumn) and column.is_whole
            return NumberPair(numbers[0], numbers[1], is_whole=is_whole)
    except DataError as exc:
        raise DataError(f"the small set cannot be compared with the real rows: {exc}") from exc
    kind = column.reason if isinstance(column, OmittedColumn) else column.kind
    return labels_of(values, others, kind)


def _times(values: Values, others: Values, column: TimeColumn, name: Any) -> NumberPair:
    seconds = []
    for each in (values, others):
        times = as_times(each, column.dtype, name)
        times = times - np.datetime64(0, "s") if times.dtype.kind == "M" else times
        seconds.append(np.where(np.isnat(times), np.nan, times / _SECOND))
    return NumberPair(seconds[0], seconds[1], "duration" if column.is_duration else "date")


def labels_of(values: Values, others: Values, kind: str) -> LabelPair:
    """Return labels of both sides in common codes, the most frequent real level first."""
    first, second = (_as_labels(each) for each in (values, others))
    counts = np.bincount(first.codes[first.codes >= 0], minlength=len(first.levels))
    used = [code for code in range(len(first.levels)) if counts[code]]
    order = sorted(used, key=lambda code: (-counts[code], str(first.levels[code])))
    levels = [first.levels[code] for code in order]
    place = {level: position for position, level in enumerate(levels)}
    n_known = len(levels)
    present = set(second.codes[second.codes >= 0].tolist())
    for code in sorted(present, key=lambda code: str(second.levels[code])):
        if second.levels[code] not in place:
            place[second.levels[code]] = len(levels)
            levels.append(second.levels[code])
    codes = [
        np.array([*(place.get(level, -1) for level in each.levels), -1], dtype=np.int64)[each.codes]
        for each in (first, second)
    ]
    return LabelPair(codes[0], codes[1], tuple(levels), n_known, kind)


def _as_labels(values: Values) -> Labels:
    if isinstance(values, Numbers) and values.is_boolean:
        return Labels(np.where(np.isnan(values.data), -1, np.nan_to_num(values.data)).astype(np.int64), [False, True])
    return values if isinstance(values, Labels) else as_labels(values)
