"""Learning the kind of a column, and how it is encoded, from its training values."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from distillkit.tables._columns import (
    BooleanColumn,
    CategoryColumn,
    Column,
    NumberColumn,
    OmittedColumn,
    TextNumberColumn,
    TimeColumn,
)
from distillkit.tables._conversion import as_numbers, check_finite
from distillkit.tables._reading import Labels, Numbers, Times, Values
from distillkit.utils._moments import mean_and_deviation

__all__ = ["is_identifier", "learn_column"]

_FEWEST_IDENTIFIERS = 20
_IDENTIFIER_SHARE = 0.9
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:(?P<separator>[T ])\d{2}:\d{2}(?P<seconds>:\d{2})?)?")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)(?:\.(?P<decimals>\d+))?")
_STEPS = ("D", "h", "m", "s", "ms", "us", "ns")


def learn_column(values: Values, name: Any, *, max_levels: int, standardize: bool) -> Column:
    """Return how a column is encoded.

    Parameters
    ----------
    values : Numbers, Times or Labels
        Training values.
    name : column name
    max_levels : int
        Number of columns that one category may become.
    standardize : bool
        Whether numbers and times get mean 0 and standard deviation 1.
    """
    if values.missing.all():
        return OmittedColumn("empty")
    if isinstance(values, Numbers):
        if values.is_boolean:
            step = float(np.sqrt(2)) if standardize else 1.0
            return BooleanColumn(float(np.nanmean(values.data)), step, bool(values.missing.any()))
        return _learn_numbers(values, name, standardize)
    if isinstance(values, Times):
        return _learn_times(values, name, standardize)
    if (dates := _iso_dates(values)) is not None:
        times, unit, separator = dates
        return _learn_times(Times(times, is_date=unit == "D"), name, standardize, text=separator)
    text_number = _learn_text_numbers(values, name, max_levels, standardize)
    return _learn_labels(values, max_levels) if text_number is None else text_number


def _learn_numbers(values: Numbers, name: Any, standardize: bool) -> NumberColumn:
    check_finite(values.data, name)
    present = values.data[~values.missing]
    low, high = values.bounds or (float(present.min()), float(present.max()))
    is_whole = values.is_integer or bool((present == np.rint(present)).all())
    mean, scale = mean_and_deviation(present) if standardize else (0.0, 1.0)
    if float(low) == float(high):
        mean, scale = (float(low), 1.0) if standardize else (mean, scale)
    is_constant = standardize and float(low) == float(high)
    filling = 0.0 if standardize else mean_and_deviation(present)[0]
    return NumberColumn(mean, scale, low, high, is_whole, is_constant, bool(values.missing.any()), filling)


def _learn_times(values: Times, name: Any, standardize: bool, text: str | None = None) -> TimeColumn:
    unit, is_duration = np.datetime_data(values.data.dtype)[0], values.data.dtype.kind == "m"
    steps = values.data[~values.missing].astype(np.int64)
    offset = int(steps.min())
    numbers = _learn_numbers(Numbers(np.where(values.missing, np.nan, _since(values.data, offset))), name, standardize)
    if not standardize:
        day = float(_size("D", unit) or 1)
        numbers = replace(numbers, scale=day, filling=numbers.filling / day)
    step = 1
    for coarse in _STEPS:
        size = _size(coarse, unit)
        if size and not (steps % size).any():
            step = size
            break
    return TimeColumn(numbers, unit, offset, step, is_duration, values.is_date, text)


def _since(times: np.ndarray, offset: int) -> np.ndarray:
    return (times.astype(np.int64) - offset).astype(np.float64)


def _size(coarse: str, unit: str) -> int:
    """Return the number of units in a coarser one, 0 if it is finer."""
    size = np.ones(1, dtype=f"timedelta64[{coarse}]").astype(f"timedelta64[{unit}]")
    return int(size.astype(np.int64)[0])


def _iso_dates(values: Labels) -> tuple[np.ndarray, str, str] | None:
    """Return text as dates with their unit and separator, if all of it is ISO dates of one form."""
    used = np.unique(values.codes[values.codes >= 0])
    forms = set()
    for code in used.tolist():
        level = values.levels[code]
        match = _ISO_DATE.fullmatch(level) if isinstance(level, str) else None
        if match is None:
            return None
        forms.add((match["separator"], match["seconds"] is not None))
    if len(forms) != 1 or len(used) < 2:
        return None
    separator, has_seconds = forms.pop()
    unit = "D" if separator is None else "s" if has_seconds else "m"
    levels = np.full(len(values.levels) + 1, "NaT", dtype=f"datetime64[{unit}]")  # the last one is for missing values
    try:
        levels[used] = np.array([values.levels[code] for code in used.tolist()], dtype=f"datetime64[{unit}]")
    except ValueError:  # such as a 31st of February
        return None
    return levels[values.codes], unit, separator or ""


def _learn_text_numbers(values: Labels, name: Any, max_levels: int, standardize: bool) -> TextNumberColumn | None:
    """Return how text is encoded that holds more numbers than a category has levels, else None.

    Codes such as "007", and whole numbers alone, which may be identifiers, are no such text.
    """
    used = np.unique(values.codes[values.codes >= 0]).tolist()
    words = [values.levels[code] for code in used]
    if len(words) <= max_levels or not all(isinstance(word, str) for word in words):
        return None
    blanks = [word for word in words if not word.strip()]
    matches = [_DECIMAL.fullmatch(word) for word in words if word.strip()]
    decimals = [len(match["decimals"] or "") if match else -1 for match in matches]
    if not decimals or min(decimals) < 0 or max(decimals) == 0 or len(blanks) > 1:
        return None
    data = as_numbers(values, name, blank_is_missing=True)
    return TextNumberColumn(
        _learn_numbers(Numbers(data), name, standardize), max(decimals), blanks[0] if blanks else None
    )


def is_identifier(n_distinct: int, n_present: int, fewest: int = _FEWEST_IDENTIFIERS) -> bool:
    """Return whether texts differ in nearly every row, as identifiers do."""
    return n_distinct >= max(fewest, _IDENTIFIER_SHARE * n_present)


def _learn_labels(values: Labels, max_levels: int) -> Column:
    codes = values.codes[values.codes >= 0]
    counts = np.bincount(codes, minlength=len(values.levels))
    used = np.flatnonzero(counts)
    is_text = all(isinstance(values.levels[code], str) for code in used.tolist())
    if is_text and is_identifier(len(used), len(codes)):
        return OmittedColumn("identifier")
    # Equally frequent levels are put in the order of their text, whatever the container.
    order = sorted(used.tolist(), key=lambda code: (-counts[code], str(values.levels[code])))
    levels = tuple(values.levels[code] for code in order)
    n_own = len(levels) if len(levels) <= max_levels else max_levels - 1
    return CategoryColumn(levels, tuple(int(counts[code]) for code in order), n_own, bool(values.missing.any()))
