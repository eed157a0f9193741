"""Conversion of column values to numbers, times or labels, with errors that name the column."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables._reading import Labels, Numbers, Times, Values

__all__ = ["as_labels", "as_numbers", "as_times", "check_finite"]


def check_finite(numbers: np.ndarray, name: Any) -> None:
    """Raise an error for infinite values.

    Raises
    ------
    DataError
        If there are any.
    """
    if np.isinf(numbers).any():
        number = int(np.isinf(numbers).sum())
        raise DataError(f"column {name!r} holds infinity in {number} rows: replace it, or drop those rows first.")


def as_numbers(values: Values, name: Any, *, blank_is_missing: bool = False) -> np.ndarray:
    """Return values as float64, NaN where missing, and on request where text is blank.

    Raises
    ------
    DataError
        If there are values that are not numbers.
    """
    if isinstance(values, Numbers):
        return values.data
    if isinstance(values, Labels):
        try:
            texts = [np.nan if blank_is_missing and not str(level).strip() else float(level) for level in values.levels]
            levels = np.array([*texts, np.nan])
        except (TypeError, ValueError) as exc:
            raise DataError(
                f"column {name!r} holds text or labels, but numbers in the training rows ({exc}): give numbers."
            ) from exc
        numbers: np.ndarray = levels[values.codes]
        return numbers
    raise DataError(f"column {name!r} holds dates or times, but numbers in the training rows: give numbers.")


def as_times(values: Values, dtype: str, name: Any) -> np.ndarray:
    """Return values as dates, times or durations of a NumPy dtype, NaT where missing.

    Raises
    ------
    DataError
        If there are values that are not dates or times.
    """
    if isinstance(values, Numbers) and not values.missing.all():
        raise DataError(f"column {name!r} holds numbers, but dates or times in the training rows: give dates.")
    if isinstance(values, Numbers):
        return np.full(len(values.data), "NaT", dtype=dtype)
    try:
        if isinstance(values, Times):
            return values.data.astype(dtype)
        times: np.ndarray = np.array([*values.levels, "NaT"], dtype=dtype)[values.codes]
    except (TypeError, ValueError) as exc:
        raise DataError(
            f"column {name!r} holds text that is no date ({exc}), but dates in the training rows: give ISO dates."
        ) from exc
    return times


def as_labels(values: Values) -> Labels:
    """Return values as labels."""
    if isinstance(values, Labels):
        return values
    if isinstance(values, Times):
        levels, codes = np.unique(values.data[~values.missing], return_inverse=True)
        words: list[Any] = levels.astype(str).tolist()
    else:
        levels, codes = np.unique(values.data[~values.missing], return_inverse=True)
        words = [bool(level) if values.is_boolean else level for level in levels.tolist()]
    all_codes = np.full(len(values.missing), -1)
    all_codes[~values.missing] = codes
    return Labels(all_codes, words)
