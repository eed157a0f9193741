"""Conditions on columns, such as ``{"age": ">=30", "city": ["Rome", "Oslo"]}``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables._reading import Labels, Numbers, Times, Values

__all__ = ["Conditions", "compared", "meets", "operands"]

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_COMPARISON = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(.+?)\s*")


class Conditions:
    """Conditions on some columns, all of which a row must meet.

    Parameters
    ----------
    given : mapping of column name to condition
        A comparison as text (``">=30"``, or several: ``">=30, <40"``), a value that the column must
        equal, a list or set of values of which it must hold one, a pair ``(low, high)`` of numbers
        or dates (a tuple; both ends count, and None leaves an end open), or None for a gap.
    names : sequence
        Names of the columns.

    Raises
    ------
    DataError
        If there is no such column.
    """

    def __init__(self, given: Mapping[Any, Any], names: Any) -> None:
        if not isinstance(given, Mapping):
            raise DataError(
                f"given={given!r} is no mapping: give conditions by column, such as "
                "given={'age': '>=30', 'city': ['Rome', 'Oslo']}."
            )
        places = {name: position for position, name in enumerate(names)}
        unknown = [name for name in given if name not in places]
        if unknown:
            listed = ", ".join(map(repr, list(places)[:10])) + (", ..." if len(places) > 10 else "")
            raise DataError(f"given names the column {unknown[0]!r}, but the columns are {listed}.")
        self.items = [(places[name], name, condition) for name, condition in given.items()]

    def mask(self, columns: list[Values]) -> np.ndarray:
        """Return which rows (n,) meet all conditions.

        Raises
        ------
        DataError
            If a condition does not suit the kind of its column, or names an unknown level.
        """
        masks = [meets(columns[position], name, condition) for position, name, condition in self.items]
        return np.logical_and.reduce(masks) if masks else np.ones(len(columns[0].missing), dtype=bool)


def meets(values: Values, name: Any, condition: Any) -> np.ndarray:
    """Return which values (n,) of a column meet a condition; gaps meet none but None."""
    if condition is None:
        return values.missing
    mask: np.ndarray
    if isinstance(condition, str) and (parts := _comparisons(condition)):
        mask = np.logical_and.reduce([compared(values, name, sign, text) for sign, text in parts])
        return mask
    if isinstance(condition, tuple) and len(condition) == 2 and not isinstance(values, Labels):
        low, high = condition
        ends = [(sign, end) for sign, end in ((">=", low), ("<=", high)) if end is not None]
        mask = np.logical_and.reduce([~values.missing, *(compared(values, name, sign, end) for sign, end in ends)])
        return mask
    members = list(condition) if isinstance(condition, (list, tuple, set, frozenset, np.ndarray)) else [condition]
    if not members:
        raise DataError(f"the condition on column {name!r} is an empty list, which no row can meet: give values.")
    masks = [values.missing if member is None else compared(values, name, "==", member) for member in members]
    mask = np.logical_or.reduce(masks)
    return mask


def operands(condition: Any) -> list[Any]:
    """Return the values with which a condition compares those of a column."""
    if isinstance(condition, str) and (parts := _comparisons(condition)):
        return [text for _, text in parts]
    members = list(condition) if isinstance(condition, (list, tuple, set, frozenset, np.ndarray)) else [condition]
    return [member for member in members if member is not None]


def _comparisons(text: str) -> list[tuple[str, str]]:
    """Return the comparisons of a text, such as ``">=30, <40"``, or none."""
    matches = [_COMPARISON.fullmatch(part) for part in re.split(r"[,&]", text)]
    return [(match[1], match[2]) for match in matches if match] if all(matches) else []


def compared(values: Values, name: Any, sign: str, operand: Any) -> np.ndarray:
    """Return where the values of a column compare with an operand; gaps do not."""
    compare = _COMPARISONS[sign]
    mask: np.ndarray
    if isinstance(values, Labels):
        if sign not in ("==", "!="):
            raise DataError(f"column {name!r} holds labels, which {sign} cannot compare: give a list of levels.")
        level = _level(values, name, operand)
        mask = compare(values.codes, level)
    elif isinstance(values, Times):
        mask = np.asarray(compare(values.data, _time(values, name, operand)), dtype=bool)
    else:
        mask = np.asarray(compare(values.data, _number(values, name, operand)), dtype=bool)
    mask &= ~values.missing
    return mask


def _level(values: Labels, name: Any, operand: Any) -> int:
    """Return the code of a level, which text may name as well."""
    for code, level in enumerate(values.levels):
        if level == operand or str(level) == str(operand):
            return code
    levels = ", ".join(map(repr, values.levels[:10])) + (", ..." if len(values.levels) > 10 else "")
    raise DataError(f"column {name!r} has no level {operand!r} in the training rows, but {levels}.")


def _number(values: Numbers, name: Any, operand: Any) -> float:
    if values.is_boolean and str(operand).lower() in ("true", "false"):
        return float(str(operand).lower() == "true")
    try:
        return float(operand)
    except (TypeError, ValueError):
        raise DataError(f"column {name!r} holds numbers, but its condition names {operand!r}: give a number.") from None


def _time(values: Times, name: Any, operand: Any) -> Any:
    kind = "timedelta64" if values.data.dtype.kind == "m" else "datetime64"
    try:
        if kind == "timedelta64":
            import pandas as pd

            return pd.Timedelta(operand).to_timedelta64()
        return np.datetime64(operand.replace(tzinfo=None) if hasattr(operand, "tzinfo") else operand)
    except (TypeError, ValueError):
        raise DataError(
            f"column {name!r} holds dates or times, but its condition names {operand!r}: give text such as "
            "'>=2024-01-31', or a date."
        ) from None
