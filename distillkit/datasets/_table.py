"""Tables from CSV and Parquet files."""

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
        The data folder; a relative path is looked for in the working directory, then in it.
    path : str
    target : str or int
        Name of the column to predict, or its position (from the end if negative).
    task : {"auto", "classification", "regression"}
        "auto": text is classes; numbers, whole or not, are a regression if any has a fraction or if there are more
        than ``max(20, n / 20)`` different ones.
    test_path : str or None
        A file with the test rows; None holds 25 % of the rows out.
    separator : str or None
        Between values; None means a comma, or a tab in a file ``.tsv``.
    missing : str or list of str
        Further texts that mean a missing value, such as "?".
    max_categories : int
        Columns that one text column may become at most; see Notes.

    Returns
    -------
    Dataset
        float32 rows. Numbers are standardized and missing ones filled with the median, both from the training rows;
        text is stripped and one-hot encoded.

    Raises
    ------
    DatasetNotFoundError, DatasetError
        If a file is not there or cannot be read, the target is not a column, or columns hold infinities.

    Notes
    -----
    Rows without target are dropped, and `Dataset.preparation` says how many. Rare categories share one column
    "(other)"; text that is different in every row (an identifier) is left out, as are empty columns.
    """

    def read(file: Path, text: Collection[str]) -> pd.DataFrame:
        return _read_csv(file, text, separator, words)

    files, words = _find(root, path, test_path), [missing] if isinstance(missing, str) else missing
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise DatasetError(f"missing={missing!r} must be a text, or a list of texts, that mean a missing value.")
    if separator is not None and not (isinstance(separator, str) and len(separator) == 1):
        raise DatasetError(f"separator={separator!r} must be one character, such as ';'.")
    return _dataset(stem_of(files[0]), files, read, target, task, words, max_categories)


@loader(_find)
def load_parquet(
    root: Path | None,
    path: str,
    target: str | int | None = None,
    task: str = "auto",
    test_path: str | None = None,
    max_categories: int = MAX_CATEGORIES,
) -> Dataset:
    """Load a Parquet file; options as in `load_csv`. Dates become days since 1970."""
    files = _find(root, path, test_path)
    return _dataset(stem_of(files[0]), files, _read_parquet, target, task, [], max_categories)


def _adult_files(root: Path | None) -> list[Path]:
    return files_under(
        root, "adult", ["adult/adult.csv"], "put the UCI Adult table there, with a header line that names `income`"
    )


@loader(_adult_files)
def load_adult(root: Path | None = None) -> Dataset:
    """Load Adult: whether a person earns over 50,000 dollars a year, by 14 columns of the 1994 census; "?" is missing."""
    words = ["?"]
    return _dataset(
        "adult",
        _adult_files(root),
        lambda file, text: _read_csv(file, text, ",", words),
        "income",
        "classification",
        words,
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
    except (OSError, ValueError) as exc:  # pyarrow's errors are ValueErrors
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
    """Read, hold out or take test rows, encode with the training rows' statistics."""
    encoder = TableEncoder(str(files[0]), max_categories)
    first = _read_part(files[0], read, target, missing)
    parts = [first, *(_read_test(file, read, first, missing) for file in files[1:])]
    targets = make_targets(str(files[0]), first.y, parts[1].y if len(parts) == 2 else None, task)
    train, test = first.rows.iloc[targets.train], parts[-1].rows.iloc[targets.test]
    encoder.fit(train)
    if gaps := sum(int(rows[encoder.numbers_].isna().to_numpy().sum()) for rows in (train, test)):
        encoder.notes_.append(f"{gaps} missing numbers filled with the median of the training rows")
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
    """Rows of one file, as `plain_columns` gives them, and their targets.

    Parameters
    ----------
    rows : DataFrame
    y : ndarray of shape (n,)
    target : str
        Name of the column that `y` was.
    words : frozenset of str
        Columns, the target among them, that are text in the file: they must be read as such from the test file too,
        where the same column may look like numbers ("07").
    dropped : int
        Rows without target.
    """

    rows: pd.DataFrame
    y: np.ndarray
    target: str
    words: frozenset[str]
    dropped: int


def _read_part(
    file: Path, read: Read, target: str | int | None, missing: Collection[str], words: Collection[str] = ()
) -> _Part:
    """Read a file, tidy its columns and drop the rows without target; columns named in `words` stay text."""
    from pandas.api import types

    raw = read(file, words)
    name = _target_column(file, raw, target)
    dtypes = {str(column).strip(): dtype for column, dtype in raw.dtypes.items()}
    logical = {name} if types.is_bool_dtype(dtypes[name]) else set()  # classes called False and True, not 0 and 1
    rows = plain_columns(str(file), raw, missing, {*words, *logical})
    if not len(rows):
        raise DatasetError(f"{file} has a header but no rows.")
    words = frozenset(column for column in rows.columns if rows[column].dtype == object) - logical
    there = rows[name].notna()
    if not there.any():
        raise DatasetError(f"{file}: no row has a value in the target column {name!r}.")
    rows = rows[there].copy()
    return _Part(rows, rows.pop(name).to_numpy(), name, words, int(np.count_nonzero(~there)))


def _read_test(file: Path, read: Read, first: _Part, missing: Collection[str]) -> _Part:
    """Read test rows, which must have the training rows' columns, of the same type."""
    part = _read_part(file, read, first.target, missing, first.words)
    for name in first.rows.columns:
        if name not in part.rows.columns:
            raise DatasetError(f"{file} has no column {name!r}, which the training rows have.")
        if part.rows[name].dtype != first.rows[name].dtype:
            raise DatasetError(f"{file}: the column {name!r} holds text, but only numbers in the training rows.")
    return replace(part, rows=part.rows[list(first.rows.columns)])


def _target_column(file: Path, frame: pd.DataFrame, target: str | int | None) -> str:
    """Return the name of the target's column."""
    names = [str(column).strip() for column in frame.columns]
    if target is None:
        raise DatasetError(f"{file}: give target, the column to predict: one of {_some(names)}.")
    if str(target).strip() in names:
        return str(target).strip()
    if isinstance(target, int) and not isinstance(target, bool) and -len(names) <= target < len(names):
        return names[target]
    near = get_close_matches(str(target), names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(map(repr, near))}?" if near else f"it has {_some(names)}."
    raise DatasetError(f"{file} has no column {target!r} (target): {hint}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f", ... ({len(names)} columns)" if len(names) > 20 else "")
