"""Finds the target of the real rows, and brings all rows to the same columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from distillkit.exceptions import DataError
from distillkit.reports._report_rows import WEIGHT, ReportRows, without_weight

__all__ = ["match"]

_SHOWN = 5
_TEXT = "OUS"


def match(real: ReportRows, small: ReportRows, test: ReportRows | None) -> None:
    """Give all rows the same columns in one order, and their targets; the rows are changed.

    Raises
    ------
    DataError
        If the columns, the shapes or the labels do not match.
    """
    _take_weights(real, small, test)
    _find_target(real, small)
    for rows in (small, *([] if test is None else [test])):
        _take_target(real, rows)
        _match_columns(real, rows)
    if real.y is not None and small.y is None:
        raise DataError(
            "the small set has no labels, but the real rows have: give small=(X, y), or leave y out to compare the "
            "rows alone."
        )
    if real.y is None and small.y is not None:
        raise DataError("the small set has labels, but the real rows have none: give y=, or target= for a column.")
    for rows in (small, *([] if test is None else [test])):
        _match_labels(real, rows)
    _check_weight(small)


def _take_weights(real: ReportRows, small: ReportRows, test: ReportRows | None) -> None:
    """Take the weights out of the columns of the real rows, unless the small set has the column."""
    if small.is_named and WEIGHT not in small.names:
        for rows in (real, *([] if test is None else [test])):
            without_weight(rows)


def _find_target(real: ReportRows, small: ReportRows) -> None:
    """Take the one column of the real rows that the small set does not have as the target."""
    if real.y is not None or small.y is None or not real.is_named or not small.is_named:
        return
    further = [name for name in real.names if name not in set(small.names)]
    if len(further) == 1:
        real.with_target(further[0])
    elif further:
        raise DataError(
            f"the real rows have {len(further)} columns that the small set does not have, {_listed(further)}: name "
            "the target by target=, and leave the others out."
        )


def _take_target(real: ReportRows, rows: ReportRows) -> None:
    """Take the column of the name of the target, or the only one that the real rows do not have."""
    if rows.y is not None or real.y is None or not rows.is_named:
        return
    if real.target in rows.names:
        rows.with_target(str(real.target))
    elif real.is_named and len(further := [name for name in rows.names if name not in set(real.names)]) == 1:
        rows.with_target(further[0])


def _match_columns(real: ReportRows, rows: ReportRows) -> None:
    """Put the columns into the order of the real rows, or compare the shapes."""
    if not isinstance(real.X, pd.DataFrame) or not isinstance(rows.X, pd.DataFrame):
        if np.shape(real.X)[1:] != np.shape(rows.X)[1:]:
            raise DataError(
                f"{rows.role} {_verb(rows, 'has', 'have')} rows of shape {np.shape(rows.X)[1:]}, the real rows of "
                f"shape {np.shape(real.X)[1:]}: give rows of the same shape."
            )
        return
    if not (real.is_named and rows.is_named):
        if real.X.shape[1] != rows.X.shape[1]:
            raise DataError(
                f"{rows.role} {_verb(rows, 'has', 'have')} {rows.X.shape[1]} columns, the real rows have "
                f"{real.X.shape[1]}: give rows with the same columns."
            )
        names = real.names if real.is_named else rows.names
        rows.X, real.X = rows.X.set_axis(names, axis=1), real.X.set_axis(names, axis=1)
        return
    missing = [name for name in real.names if name not in set(rows.names)]
    unknown = [name for name in rows.names if name not in set(real.names)]
    if missing or unknown:
        problems = [f"lacks the columns {_listed(missing)}"] * bool(missing)
        problems += [f"has also {_listed(unknown)}"] * bool(unknown)
        if rows.role.endswith("rows"):
            problems = [text.replace("lacks", "lack").replace("has", "have") for text in problems]
        raise DataError(
            f"{rows.role} {' and '.join(problems)}, unlike the real rows: give rows with the same columns, in any "
            "order."
        )
    rows.X = rows.X[real.names]


def _match_labels(real: ReportRows, rows: ReportRows) -> None:
    """Raise an error for labels of another kind than those of the real rows, or unknown to them."""
    if real.y is None or rows.y is None:
        return
    _name_whole_numbers(real, rows)
    texts = [labels.dtype.kind in _TEXT for labels in (real.y, rows.y)]
    if texts[0] != texts[1]:
        kinds = ["text" if text else "numbers" for text in texts]
        raise DataError(
            f"the labels of {rows.role} are {kinds[1]}, those of the real rows {kinds[0]}: give labels of one kind."
        )


def _name_whole_numbers(real: ReportRows, rows: ReportRows) -> None:
    """Turn whole numbers into text where the real labels are these numbers as text.

    The classes of a named dataset have text as names, also those of digits.
    """
    if real.y is None or rows.y is None or real.y.dtype.kind not in _TEXT or rows.y.dtype.kind not in "iu":
        return
    if set(rows.y.astype(str)) <= set(map(str, np.unique(real.y))):
        rows.y = rows.y.astype(str)
        if rows.classes is not None:
            rows.classes = np.asarray(rows.classes).astype(str)


def check_known(real: ReportRows, rows: ReportRows) -> None:
    """Raise an error for class labels that no real row has."""
    if rows.y is None or real.y is None:
        return
    unknown = np.setdiff1d(rows.y, real.y)
    if len(unknown):
        raise DataError(
            f"{rows.role} {_verb(rows, 'has', 'have')} the labels {_listed([str(label) for label in unknown])}, which "
            "no real row has: give real rows of all classes."
        )


def _check_weight(small: ReportRows) -> None:
    if small.weight is None:
        return
    weight = np.asarray(small.weight, dtype=np.float64)
    if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise DataError("the weights of the small set are not finite, negative, or all zero: give positive numbers.")


def _verb(rows: ReportRows, one: str, several: str) -> str:
    return several if rows.role.endswith("rows") else one


def _listed(names: list[Any]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")
