"""Loading of tables from CSV and Parquet files."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.datasets._columns import TableEncoder, plain_columns
from distillkit.datasets._dataset import Dataset
from distillkit.datasets._loader import loader
from distillkit.datasets._paths import files_under, resolve_path, stem_of, suffix_of
from distillkit.datasets._targets import make_targets
from distillkit.exceptions import DatasetError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_adult", "load_csv", "load_parquet"]

MAX_CATEGORIES = 64

Read = Callable[[Path, Collection[str]], "pd.DataFrame"]


def _find(root: Path | None, path: str, test_path: str | None = None, **_: Any) -> list[Path]:
    paths = [resolve_path(path, root)]
    return paths if test_path is None else [*paths, resolve_path(test_path, root, "test_path")]


@loader(_find)
def load_csv(
    root: Path | None,
    path: str,
    target: str | int | None = None,
    task: str = "auto",
    test_path: str | None = None,
    separator: str | None = None,
    missing: str | list[str] | tuple[str, ...] = (),
    max_categories: int = MAX_CATEGORIES,
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
        "auto" takes text as class labels. Numbers are a regression target if any has a fraction, or
        if there are more than ``max(20, n / 20)`` different ones, and class labels otherwise.
    test_path : str or None
        A file with the test rows; None holds 25 % of the rows out.
    separator : str or None
        Character between values; None means a comma, or a tab in a ``.tsv`` file.
    missing : str or list of str
        Further texts that mean a missing value, such as "?".
    max_categories : int
        Largest number of columns that encode one text column; see Notes.

    Returns
    -------
    Dataset
        float32 rows. Numbers are standardized, and missing ones filled with the median, both with
        statistics of the training rows; text is stripped and one-hot encoded.

    Raises
    ------
    DatasetNotFoundError
        If a file does not exist.
    DatasetError
        If a file cannot be read, if the target is not a column, or if a column holds infinite
        values.

    Notes
    -----
    Rows without target are dropped, and `Dataset.preparation` says how many. Rare categories share
    one column "(other)". Text that is different in every row (an identifier) is left out, as are
    empty columns.
    """

    def read(file: Path, text: Collection[str]) -> pd.DataFrame:
        return _read_csv(file, text, separator, missing_texts)

    files, missing_texts = _find(root, path, test_path), [missing] if isinstance(missing, str) else missing
    if not isinstance(missing_texts, (list, tuple)) or not all(isinstance(text, str) for text in missing_texts):
        raise DatasetError(f"missing={missing!r} must be a text, or a list of texts, that mean a missing value.")
    if separator is not None and not (isinstance(separator, str) and len(separator) == 1):
        raise DatasetError(f"separator={separator!r} must be one character, such as ';'.")
    return _dataset(stem_of(files[0]), files, read, target, task, missing_texts, max_categories)


@loader(_find)
def load_parquet(
    root: Path | None,
    path: str,
    target: str | int | None = None,
    task: str = "auto",
    test_path: str | None = None,
    max_categories: int = MAX_CATEGORIES,
) -> Dataset:
    """Load a Parquet file, with the options of `load_csv`; dates become days since 1970."""
    files = _find(root, path, test_path)
    return _dataset(stem_of(files[0]), files, _read_parquet, target, task, [], max_categories)


def _adult_files(root: Path | None) -> list[Path]:
    return files_under(
        root, "adult", ["adult/adult.csv"], "put the UCI Adult table there, with a header line that names `income`"
    )


@loader(_adult_files)
def load_adult(root: Path | None = None) -> Dataset:
    """Load Adult, the prediction of an income over 50,000 dollars from 14 columns of a 1994 census.

    The text "?" is a missing value.
    """
    missing = ["?"]
    return _dataset(
        "adult",
        _adult_files(root),
        lambda file, text: _read_csv(file, text, ",", missing),
        "income",
        "classification",
        missing,
        MAX_CATEGORIES,
    )


def _read_csv(file: Path, text: Collection[str], separator: str | None, missing: Collection[str]) -> pd.DataFrame:
    import pandas as pd

    tabs = suffix_of(file).startswith(".tsv")
    try:
        frame = pd.read_csv(
            file,
            sep=separator or ("\t" if tabs else ","),
            na_values=list(missing),
            dtype=dict.fromkeys(text, str),
            skipinitialspace=True,
            encoding="utf-8-sig",
            low_memory=False,
        )
    except pd.errors.EmptyDataError:
        raise DatasetError(f"{file} is empty: it needs a header line and rows.") from None
    except (OSError, EOFError, ValueError) as exc:  # ParserError and UnicodeDecodeError are ValueErrors
        raise DatasetError(
            f"{file} cannot be read as CSV ({' '.join(str(exc).split())}): check separator and encoding (UTF-8)."
        ) from exc
    if frame.shape[1] == 1 and separator is None:
        for other in (";", "\t", "|"):
            if other in str(frame.columns[0]):
                raise DatasetError(
                    f"{file} has one column only, {str(frame.columns[0])[:60]!r}: give separator = {other!r}."
                )
    return frame


def _read_parquet(file: Path, _text: Collection[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(file)
    except (OSError, ValueError) as exc:  # the errors of pyarrow are ValueErrors
        raise DatasetError(f"{file} cannot be read as Parquet ({' '.join(str(exc).split())}).") from exc


def _dataset(
    name: str,
    files: list[Path],
    read: Read,
    target: str | int | None,
    task: str,
    missing: Collection[str],
    max_categories: int,
) -> Dataset:
    """Read the files, hold test rows out if there is no test file, and encode all rows."""
    # 1. Read the training rows and, if there is a test file, the test rows.
    encoder = TableEncoder(str(files[0]), max_categories)
    first = _read_part(files[0], read, target, missing)
    parts = [first, *(_read_test(file, read, first, missing) for file in files[1:])]
    # 2. Encode the targets, and hold test rows out if there is no test file.
    targets = make_targets(str(files[0]), first.y, parts[1].y if len(parts) == 2 else None, task)
    train, test = first.rows.iloc[targets.train], parts[-1].rows.iloc[targets.test]
    # 3. Encode the columns with the statistics of the training rows.
    encoder.fit(train)
    if n_missing := sum(int(rows[encoder.numbers_].isna().to_numpy().sum()) for rows in (train, test)):
        encoder.notes_.append(f"{n_missing} missing numbers filled with the median of the training rows")
    dropped = [
        f"{part.dropped} rows of {file.name} without target dropped"
        for part, file in zip(parts, files, strict=True)
        if part.dropped
    ]
    return Dataset(
        name=name,
        task=targets.task,
        modality="table",
        X_train=encoder.transform(train),
        y_train=targets.y_train,
        X_test=encoder.transform(test),
        y_test=targets.y_test,
        classes=targets.classes,
        feature_names=encoder.feature_names_,
        preparation="; ".join(filter(None, [*dropped, *encoder.notes_, targets.note])),
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """The rows of one file, as returned by `plain_columns`, and their targets.

    Parameters
    ----------
    rows : DataFrame
    y : ndarray of shape (n,)
    target : str
        Name of the target column.
    text_columns : frozenset of str
        Columns that are text in the file, the target among them. They must be read as text from the
        test file too, where the same column may look like numbers ("07").
    dropped : int
        Number of rows without target.
    """

    rows: pd.DataFrame
    y: np.ndarray
    target: str
    text_columns: frozenset[str]
    dropped: int


def _read_part(
    file: Path, read: Read, target: str | int | None, missing: Collection[str], text_columns: Collection[str] = ()
) -> _Part:
    """Read a file, convert its columns and drop the rows without target."""
    from pandas.api import types

    raw = read(file, text_columns)
    name = _target_column(file, raw, target)
    dtypes = {str(column).strip(): dtype for column, dtype in raw.dtypes.items()}
    # Boolean labels are read as text, so that the classes are called False and True, not 0 and 1.
    boolean_target = {name} if types.is_bool_dtype(dtypes[name]) else set()
    rows = plain_columns(str(file), raw, missing, {*text_columns, *boolean_target})
    if not len(rows):
        raise DatasetError(f"{file} has a header but no rows.")
    text_columns = frozenset(column for column in rows.columns if rows[column].dtype == object) - boolean_target
    has_target = rows[name].notna()
    if not has_target.any():
        raise DatasetError(f"{file}: no row has a value in the target column {name!r}.")
    rows = rows[has_target].copy()
    return _Part(rows, rows.pop(name).to_numpy(), name, text_columns, int(np.count_nonzero(~has_target)))


def _read_test(file: Path, read: Read, first: _Part, missing: Collection[str]) -> _Part:
    """Read the test rows, which must have the columns and types of the training rows."""
    part = _read_part(file, read, first.target, missing, first.text_columns)
    for name in first.rows.columns:
        if name not in part.rows.columns:
            raise DatasetError(f"{file} has no column {name!r}, which the training rows have.")
        if part.rows[name].dtype != first.rows[name].dtype:
            raise DatasetError(f"{file}: the column {name!r} holds text, but only numbers in the training rows.")
    return replace(part, rows=part.rows[list(first.rows.columns)])


def _target_column(file: Path, frame: pd.DataFrame, target: str | int | None) -> str:
    """Return the name of the target column."""
    names = [str(column).strip() for column in frame.columns]
    if target is None:
        raise DatasetError(f"{file}: give target, the column to predict: one of {_shortened(names)}.")
    if str(target).strip() in names:
        return str(target).strip()
    if isinstance(target, int) and not isinstance(target, bool) and -len(names) <= target < len(names):
        return names[target]
    near = get_close_matches(str(target), names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(map(repr, near))}?" if near else f"it has {_shortened(names)}."
    raise DatasetError(f"{file} has no column {target!r} (target): {hint}")


def _shortened(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f", ... ({len(names)} columns)" if len(names) > 20 else "")
