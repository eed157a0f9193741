"""Columns of a table that are no features: weights of the rows, and soft labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from distillkit.datasets._column_types import infer_type
from distillkit.datasets._typed_rows import convert, target_values
from distillkit.exceptions import DataError, DatasetError, DatasetOptionError
from distillkit.utils._weights import checked_weight

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from distillkit.datasets._read_table import RawTable
    from distillkit.datasets._table_options import TableOptions

__all__ = ["WEIGHT_COLUMN", "checked_file_weight", "without_soft_labels", "without_weight"]

WEIGHT_COLUMN = "sample_weight"
"""Name of the column of weights in the tables that `DistilledSet.to_pandas` makes."""

_SUM_TOLERANCE = 1e-3  # of the probabilities of a row, which may have been written with few digits


def without_weight(table: RawTable, target: str | None, options: TableOptions) -> tuple[RawTable, np.ndarray | None]:
    """Split the column of weights off a table.

    It is the column that the option `weight` names, or a column `sample_weight`, as the tables of
    distilled sets have. In the latter case the notes of the table say so.

    Parameters
    ----------
    table : RawTable
    target : str or None
        Name of the target column, which is never the weights.
    options : TableOptions

    Returns
    -------
    table : RawTable
        Without the column of weights.
    weight : ndarray of shape (n,) or None

    Raises
    ------
    DatasetError
        If there is no such column, or it does not hold weights.
    """
    if options.weight is False or (options.weight is None and WEIGHT_COLUMN not in table.frame.columns):
        return table, None
    name = table.column(options.weight or WEIGHT_COLUMN, "weight")
    if name == target:
        if options.weight is None:
            return table, None
        raise DatasetOptionError(f"{table.path}: weight={name!r} is the target column: name another one.")
    if table.frame.shape[1] == (1 if target is None else 2):
        raise DatasetError(f"{table.path}: besides the weights in {name!r}, no column is left to learn from.")
    weight = checked_file_weight(table.path, name, _numbers(table, name, options))
    notes = table.notes
    if options.weight is None:
        note = f"column {name!r} was read as the weights of the rows (weight = false, or --no-weight, keeps it as data)"
        notes = [*notes, note]
    return replace(table, frame=table.frame.drop(columns=name), notes=notes), weight


def checked_file_weight(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """Return weights that were read from a file, after checking them.

    Raises
    ------
    DatasetError
        If they are not one finite number for each row, none negative and not all zero.
    """
    try:
        weight = checked_weight(values, values)
    except DataError as exc:
        raise DatasetError(
            f"{path}: {name!r} does not hold the weights of the rows ({_reason(exc)}): correct it, "
            "or read it as data by weight = false (--no-weight)."
        ) from exc
    return np.asarray(weight)


def _reason(exc: DataError) -> str:
    text = str(exc)
    return text[text.index("(") + 1 : text.rindex("): ")]


def _numbers(table: RawTable, name: str, options: TableOptions) -> np.ndarray:
    """Return a raw column as floats, NaN where it has no value."""
    type_ = infer_type(table.frame[name], options.decimal)
    column = convert(table.path, table.frame[[name]], {name: type_})[0][name]
    if type_.kind not in ("integer", "number", "empty", "boolean") and column.dtype.kind not in "iuf":
        raise DatasetError(
            f"{table.path}: {name!r} does not hold the weights of the rows (it holds {type_.kind} values): name "
            "another column, or read it as data by weight = false (--no-weight)."
        )
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def without_soft_labels(table: RawTable, target: str | None, options: TableOptions) -> RawTable:
    """Leave out the soft labels of a distilled set, which would give the target away.

    They are columns ``p_LABEL`` for every class of the target, with probabilities that sum to 1, or
    a column ``p_TARGET`` of numbers beside a target of numbers and a column of weights.
    """
    if target is None or not options.soft_labels:
        return table
    names = [f"p_{label}" for label in np.unique(_labels(table, target, options)).tolist()]
    frame: pd.DataFrame = table.frame
    if not (names and all(name in frame.columns for name in names)) or not _are_probabilities(table, names, options):
        names = [f"p_{target}"] if f"p_{target}" in frame.columns and WEIGHT_COLUMN in frame.columns else []
    if not names:
        return table
    note = (
        f"columns {', '.join(map(repr, names))} were left out, because they are the soft labels of a distilled set "
        "(soft_labels = false, or --no-soft-labels, keeps them as data)"
    )
    return replace(table, frame=frame.drop(columns=names), notes=[*table.notes, note])


def _labels(table: RawTable, target: str, options: TableOptions) -> np.ndarray:
    type_ = infer_type(table.frame[target], options.decimal)
    values = target_values(convert(table.path, table.frame[[target]], {target: type_})[0][target])
    return values.astype(str) if values.dtype == object else values


def _are_probabilities(table: RawTable, names: list[str], options: TableOptions) -> bool:
    """Whether columns hold numbers in [0, 1] that sum to 1 in each row."""
    types = {name: infer_type(table.frame[name], options.decimal) for name in names}
    columns = convert(table.path, table.frame[names], types)[0]
    if any(column.dtype.kind not in "iuf" for _, column in columns.items()):
        return False
    values = columns.to_numpy(dtype=np.float64)
    return bool(((values >= 0) & (values <= 1)).all() and np.allclose(values.sum(axis=1), 1, atol=_SUM_TOLERANCE))
