"""The pairs of columns whose association the small set changes most."""

from __future__ import annotations

import numpy as np
import pandas as pd

from distillkit.metrics._sides import sides_of
from distillkit.metrics.tables._columns import table_columns
from distillkit.metrics.tables._correlations import associations
from distillkit.reports._compared_rows import ComparedRows

__all__ = ["association_changes"]

_SHOWN = 10
_MOST_COLUMNS = 300


def association_changes(compared: ComparedRows) -> pd.DataFrame:
    """Return the pairs of columns whose association differs most, at most ten.

    The association is Pearson's correlation of two numbers, the correlation ratio of a number and
    labels, and Cramér's V of two columns of labels.

    Returns
    -------
    DataFrame
        With the columns first, second, real and small. Empty for images and series.
    """
    columns = ["first", "second", "real", "small"]
    encoder = compared.encoder
    if encoder is None or sum(len(column.parts) for column in encoder.columns_) > _MOST_COLUMNS:
        return pd.DataFrame(columns=columns)
    sides = sides_of(compared.reference, None, compared.distilled)
    if not sum(len(column.parts) for column in encoder.columns_):
        return pd.DataFrame(columns=columns)
    whole, small = table_columns(sides, compared.distilled.table, "report")
    names = _names(compared)
    first = associations(whole, np.ones(len(compared.reference)))
    second = np.nan_to_num(associations(small, sides.weight))
    upper = np.triu(~np.isnan(first), 1)
    rows, places = np.nonzero(upper)
    changes = np.abs(first - second)[rows, places]
    order = np.argsort(-changes, kind="stable")[:_SHOWN]
    return pd.DataFrame(
        [
            (names[rows[at]], names[places[at]], first[rows[at], places[at]], second[rows[at], places[at]])
            for at in order
        ],
        columns=columns,
    )


def _names(compared: ComparedRows) -> list[str]:
    """Return the names of the numbers and, after them, of the levels; see `table_columns`."""
    numbers: list[str] = []
    pairs: list[str] = []
    blocks: list[str] = []
    encoder = compared.encoder
    if encoder is None:
        return []
    for name, column in zip(encoder.names_, encoder.columns_, strict=True):
        if column.kind == "category":
            blocks += [str(name)] * bool(column.parts)
            continue
        for part in column.parts:
            if part:
                pairs.append(f"{name}{part}")
            else:
                (pairs if column.kind == "boolean" else numbers).append(str(name))
    target = [compared.target_name] if compared.task is not None else []
    is_number = compared.task == "regression"
    return [*numbers, *(target if is_number else []), *pairs, *blocks, *([] if is_number else target)]
