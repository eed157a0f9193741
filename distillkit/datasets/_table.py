"""Loading of tables from CSV and Parquet files."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from distillkit.datasets._column_types import ColumnType, infer_type
from distillkit.datasets._dataset import Dataset
from distillkit.datasets._loader import loader
from distillkit.datasets._paths import files_under, resolve_path, stem_of
from distillkit.datasets._read_table import RawTable, read_table, shortened
from distillkit.datasets._table_options import TableOptions
from distillkit.datasets._targets import make_targets
from distillkit.datasets._typed_rows import column_notes, convert, infer_types, target_values
from distillkit.datasets._weight_columns import without_soft_labels, without_weight
from distillkit.exceptions import DatasetError, DistillkitWarning

__all__ = ["load_adult", "load_csv", "load_parquet"]

MAX_CATEGORIES = 64


def _find(root: Path | None, path: str, test_path: str | None = None, **_: Any) -> list[Path]:
    paths = [resolve_path(path, root)]
    return paths if test_path is None else [*paths, resolve_path(test_path, root, "test_path")]


def _own_test(_root: Path | None, test_path: str | None = None, **_: Any) -> bool:
    return test_path is not None


@loader(_find, _own_test)
def load_csv(
    root: Path | None,
    path: str,
    target: str | int | None = None,
    task: str = "auto",
    test_path: str | None = None,
    separator: str | None = None,
    missing: str | list[str] | tuple[str, ...] = (),
    decimal: str = ".",
    encoding: str | None = None,
    drop: str | list[str] | tuple[str, ...] = (),
    weight: str | Literal[False] | None = None,
    soft_labels: bool = True,
    max_categories: int = MAX_CATEGORIES,
    split: int = 0,
) -> Dataset:
    """Load a CSV file with a header line.

    Parameters
    ----------
    root : Path or None
        The data folder. A relative path is searched in the working directory first, then in it.
    path : str
        The file.
    target : str or int
        Name of the column to predict, or its position (from the end if negative).
    task : {"auto", "classification", "regression"}
        "auto" takes text as class labels, and decides about numbers by their values; see
        `distillkit.BaseDistiller`.
    test_path : str or None
        A file with the test rows; None holds 25 % of the rows out.
    separator : str or None
        Character between values; None takes the one of ``, ; tab |`` that divides the lines alike.
    missing : str or list of str
        Texts that mean a missing value, such as "?", besides the empty text.
    decimal : {".", ","}
        Decimal mark of numbers.
    encoding : str or None
        Encoding of the file, such as "latin-1"; None means UTF-8.
    drop : str or list of str
        Columns to leave out.
    weight : str, False or None
        Column of the weights of the training rows. None takes a column ``sample_weight`` if there
        is one, as in the files of distilled sets, and a warning says so; False takes none.
    soft_labels : bool
        Whether columns that hold the soft labels of a distilled set (``p_LABEL`` for every class)
        are left out, which a warning says.
    max_categories : int
        Largest number of columns that encode one text column, without the mark of gaps.
    split : int
        Number of the split, which chooses the rows that are held out.

    Returns
    -------
    Dataset
        float32 rows, encoded by a `distillkit.tables.TableEncoder` that has seen the training rows
        alone: numbers are standardized, text is one-hot encoded, and gaps are marked.

    Raises
    ------
    DatasetNotFoundError
        If a file does not exist.
    DatasetError
        If a file cannot be read, if the target is not a column, if a column holds infinite values,
        or if the weights are invalid.

    Notes
    -----
    The types of the columns are those of the training rows: booleans (True, False), numbers, dates
    as in ISO 8601 (which become days since 1970), or text. Numbers that begin with zeros, such as
    007, are text. A held-out value that is not of the type of its column counts as missing.

    Rows without target are dropped, and `Dataset.preparation` says how many. Text that is different
    in nearly every row (an identifier) is left out, as are empty and constant columns.
    """
    files = _find(root, path, test_path)
    options = TableOptions(separator, decimal, encoding, missing, drop, weight, soft_labels)
    return _dataset(stem_of(files[0]), files, target, task, options, max_categories, split)


@loader(_find, _own_test)
def load_parquet(
    root: Path | None,
    path: str,
    target: str | int | None = None,
    task: str = "auto",
    test_path: str | None = None,
    missing: str | list[str] | tuple[str, ...] = (),
    drop: str | list[str] | tuple[str, ...] = (),
    weight: str | Literal[False] | None = None,
    soft_labels: bool = True,
    max_categories: int = MAX_CATEGORIES,
    split: int = 0,
) -> Dataset:
    """Load a Parquet file, with the options of `load_csv`; columns keep their declared types.

    Parameters
    ----------
    path, target, task, test_path, missing, drop, weight, soft_labels, max_categories
        As for `load_csv`.
    split : int
        Number of the split, which chooses the rows that are held out.
    """
    files = _find(root, path, test_path)
    options = TableOptions(missing=missing, drop=drop, weight=weight, soft_labels=soft_labels)
    return _dataset(stem_of(files[0]), files, target, task, options, max_categories, split)


def _adult_files(root: Path | None) -> list[Path]:
    return files_under(
        root, "adult", ["adult/adult.csv"], "put the UCI Adult table there, with a header line that names `income`"
    )


@loader(_adult_files)
def load_adult(root: Path | None = None, split: int = 0) -> Dataset:
    """Load Adult, the prediction of an income over 50,000 dollars from 14 columns of a 1994 census.

    The text "?" is a missing value.

    Parameters
    ----------
    split : int
        Number of the split, which chooses the rows that are held out.
    """
    options = TableOptions(separator=",", missing="?", weight=False, soft_labels=False)
    return _dataset("adult", _adult_files(root), "income", "classification", options, MAX_CATEGORIES, split)


def _dataset(
    name: str,
    files: list[Path],
    target: str | int | None,
    task: str,
    options: TableOptions,
    max_categories: int,
    split: int,
) -> Dataset:
    """Read the files, hold test rows out if there is no test file, and encode all rows."""
    from distillkit.datasets._encoding import encode_rows

    source = str(files[0])
    # 1. Read the training rows and, if there is a test file, the test rows.
    first, weight = _training_part(files[0], target, options)
    parts = [first, *(_test_part(file, first, options) for file in files[1:])]
    # 2. Encode the targets by the type that the training file shows, and hold test rows out if
    # there is no test file.
    label = first.target
    target_type = infer_type(first.table.frame[label], options.decimal)
    labels = [_target(part, target_type) for part in parts]
    targets = make_targets(source, labels[0], labels[1] if len(labels) == 2 else None, task, split)
    # 3. Infer the types of the other columns from the training rows alone. These are converted
    # apart from the test rows, so that nothing in the latter can change them.
    features = [part.table.frame.drop(columns=label) for part in (parts[0], parts[-1])]
    train, test = features[0].iloc[targets.train], features[1].iloc[targets.test]
    types = infer_types(train, options.decimal)
    whole, _ = convert(files[0], features[0], types, strict=False)
    train, _ = convert(files[0], train, types)
    test, unfit = convert(files[-1], test, types, strict=len(parts) == 2)
    # The notes on the training file are there already, and messages begin with its name.
    others = [f"{part.table.path.name}: {note}" for part in parts[1:] for note in part.table.notes]
    notes = [*first.table.notes, *column_notes(whole, types), *others, *unfit]
    for note in dict.fromkeys(notes):
        warnings.warn(f"{files[0]}: {note}.", DistillkitWarning, stacklevel=4)
    # 4. Encode the columns with the statistics of the training rows.
    encoded = encode_rows((files[0], files[-1]), train, test, max_categories)
    return Dataset(
        name=name,
        task=targets.task,
        modality="table",
        X_train=encoded.X_train,
        y_train=targets.y_train,
        X_test=encoded.X_test,
        y_test=targets.y_test,
        classes=targets.classes,
        feature_names=encoded.feature_names,
        rows_train=train,
        preparation="; ".join(filter(None, [*dict.fromkeys(notes), *encoded.notes, targets.note])),
        task_note=targets.task_note,
        weight_train=None if weight is None else weight[targets.train],
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """The rows of one file that have a target, and the name of the target column."""

    table: RawTable
    target: str


def _with_target(table: RawTable, target: str | int | None) -> _Part:
    if target is None:
        names = shortened(list(table.frame.columns))
        raise DatasetError(f"{table.path}: give target, the column to predict: one of {names}.")
    name = table.column(target)
    return _Part(table.with_target(name), name)


def _training_part(file: Path, target: str | int | None, options: TableOptions) -> tuple[_Part, np.ndarray | None]:
    """Read the training rows, and split off their weights."""
    part = _with_target(read_table(file, options), target)
    table = without_soft_labels(part.table, part.target, options)
    table, weight = without_weight(table, part.target, options)
    return replace(part, table=table), weight


def _test_part(file: Path, first: _Part, options: TableOptions) -> _Part:
    """Read the test rows, which must have the columns of the training rows."""
    part = _with_target(read_table(file, options), first.target)
    names = list(first.table.frame.columns)
    for name in names:
        if name not in part.table.frame.columns:
            raise DatasetError(f"{file} has no column {name!r}, which the training rows have.")
    return replace(part, table=replace(part.table, frame=part.table.frame[names]))


def _target(part: _Part, type_: ColumnType) -> np.ndarray:
    """Convert the target column to the type of the training rows."""
    name = part.target
    frame, _ = convert(part.table.path, part.table.frame[[name]], {name: type_})
    return target_values(frame[name])
