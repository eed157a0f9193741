"""Loading of rows for distillation outside the bench, unchanged and in their own units."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from distillkit.datasets._npz import read_rows
from distillkit.datasets._paths import dataset_for_path, resolve_path, suffix_of
from distillkit.datasets._read_table import is_table, read_table
from distillkit.datasets._table_options import TableOptions
from distillkit.datasets._typed_rows import column_notes, convert, infer_types, target_values
from distillkit.datasets._weight_columns import without_soft_labels, without_weight
from distillkit.exceptions import DatasetError, DistillkitWarning

__all__ = ["load_rows"]

_Rows = tuple[Any, np.ndarray | None, np.ndarray | None]


def load_rows(
    source: str,
    *,
    target: str | int | None = None,
    root: Path | None = None,
    separator: str | None = None,
    missing: str | list[str] | tuple[str, ...] = (),
    decimal: str = ".",
    encoding: str | None = None,
    drop: str | list[str] | tuple[str, ...] = (),
    weight: str | Literal[False] | None = None,
    soft_labels: bool = True,
    download: bool = False,
    return_weight: bool = False,
) -> Any:
    """Load every row of a file, or the training rows of a dataset, in their own units.

    Parameters
    ----------
    source : str
        A table (``.csv``, ``.tsv``, either with ``.gz``, or ``.parquet``), an ``.npz`` file, or the
        name of a dataset. An ``.npz`` file holds X and optionally y.
    target : str, int or None
        Name or position of the target column, for tables.
    root : Path or None
        The data folder. A relative path is searched in the working directory first, then in it.
    separator : str or None
        Character between the values of a CSV file; None takes the one of ``, ; tab |`` that divides
        the lines alike.
    missing : str or list of str
        Texts of a table that mean a missing value, such as "?", besides the empty text.
    decimal : {".", ","}
        Decimal mark of a CSV file.
    encoding : str or None
        Encoding of a CSV file, such as "latin-1"; None means UTF-8.
    drop : str or list of str
        Columns of a table to leave out.
    weight : str, False or None
        Column of a table, or array of an ``.npz`` file, that holds the weights of the rows. None
        takes ``sample_weight`` if there is one, as in the files of distilled sets; False takes
        none.
    soft_labels : bool
        Whether columns of a table that hold the soft labels of a distilled set (``p_LABEL`` for
        every class) are left out, because they would give the target away.
    download : bool
        Whether to download a named dataset that is not in the data folder, where this is possible.
    return_weight : bool
        Whether to return the weights as well.

    Returns
    -------
    X : DataFrame of shape (n, d) or ndarray of shape (n, ...)
    y : ndarray of shape (n,) or None
        Labels or numbers as in the file; None without a target. Dates are days since 1970.
    sample_weight : ndarray of shape (n,) or None
        Only with `return_weight`; None if the rows have no weights.

    Raises
    ------
    DatasetNotFoundError
        If the file does not exist.
    DatasetError
        If it cannot be read, if it has no such column, or if the weights are invalid.

    Warns
    -----
    DistillkitWarning
        If rows without target were dropped, if whole numbers look like an identifier, if the type
        of a column may not be the expected one, if a column was taken for weights or soft labels
        without being asked for, or if weights are left out because they are not returned. Text that
        looks like an identifier is named by the encoder of the method that the rows are passed to.

    Notes
    -----
    The columns have the types that `distillkit.datasets.load_dataset` takes for the training rows
    of the same file.
    """
    options = TableOptions(separator, decimal, encoding, missing, drop, weight, soft_labels)
    X, y, weights = _load(source, target, root, options, download=download)
    if return_weight:
        return X, y, weights
    if weights is not None:
        warnings.warn(
            f"{source}: the weights of the rows are left out: return_weight=True returns them.",
            DistillkitWarning,
            stacklevel=2,
        )
    return X, y


def _load(source: str, target: str | int | None, root: Path | None, options: TableOptions, *, download: bool) -> _Rows:
    """Return rows, targets and weights of a table, an ``.npz`` file or a dataset."""
    path = Path(source)
    if is_table(path):
        return _table_rows(resolve_path(source, root, option=""), target, options)
    if path.suffix and path.exists():
        dataset_for_path(path)  # A file that nothing reads is told as such, before its options.
    if replace(options, weight=None) != TableOptions():
        raise DatasetError(
            f"separator, missing, decimal, encoding, drop and soft_labels are options of tables, not of {source}."
        )
    if target is not None:
        raise DatasetError(f"target={target!r} names a column of a table, but {source} has its own y: leave it out.")
    if suffix_of(path) == ".npz":
        return read_rows(resolve_path(source, root, option=""), options.weight)
    if options.weight:
        raise DatasetError(
            f"weight={options.weight!r} is an option of files, not of the dataset {source}: leave it out."
        )
    from distillkit.datasets._load import load_dataset

    dataset = load_dataset(source, root, **({"download": True} if download else {}))
    y = np.array(dataset.classes)[dataset.y_train] if dataset.classes else dataset.y_train
    return dataset.own_rows, y, None if options.weight is False else dataset.weight_train


def _table_rows(path: Path, target: str | int | None, options: TableOptions) -> _Rows:
    """Read a table, convert its columns, and split it at the target."""
    # 1. Read the rows, and drop those without target.
    table = read_table(path, options)
    name = None if target is None else table.column(target)
    if name is not None:
        table = table.with_target(name)
    table = without_soft_labels(table, name, options)
    table, weight = without_weight(table, name, options)
    # 2. Convert the columns by the types that all rows show.
    types = infer_types(table.frame, options.decimal)
    frame, _ = convert(path, table.frame, types)
    features = frame if name is None else frame.drop(columns=name)
    for note in (*table.notes, *column_notes(features, types, encoded_later=True)):
        warnings.warn(f"{path}: {note}.", DistillkitWarning, stacklevel=4)
    return features, None if name is None else target_values(frame[name]), weight
