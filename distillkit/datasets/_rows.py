"""Loading of rows for distillation outside the bench, unchanged and in their own units."""

from __future__ import annotations

import zipfile
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DatasetError, DatasetNotFoundError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_rows"]


def load_rows(source: str, *, target: str | None = None, root: Path | None = None) -> tuple[Any, np.ndarray | None]:
    """Load every row of a file, or the training rows of a dataset.

    Parameters
    ----------
    source : str
        A ``.csv``, ``.parquet`` or ``.npz`` file, or the name of a dataset. An ``.npz`` file holds
        X and optionally y.
    target : str or None
        Name of the target column, for tables.
    root : Path or None
        The data folder, for named datasets.

    Returns
    -------
    X : DataFrame of shape (n, d) or ndarray of shape (n, ...)
    y : ndarray of shape (n,) or None
        Labels or numbers as in the file; None without a target.

    Raises
    ------
    DatasetNotFoundError
        If the file does not exist.
    DatasetError
        If it cannot be read, or if it has no such column.
    """
    path = Path(source)
    if path.suffix in {".csv", ".parquet"}:
        return _split(_read_table(path), target, path)
    if target is not None:
        raise DatasetError(f"target={target!r} names a column of a table, but {source} has its own y: leave it out.")
    if path.suffix == ".npz":
        return _read_arrays(path)
    from distillkit.datasets._load import load_dataset

    dataset = load_dataset(source, root).as_float()
    y = np.array(dataset.classes)[dataset.y_train] if dataset.classes else dataset.y_train
    return dataset.X_train, y


def _check_exists(path: Path) -> None:
    if not path.is_file():
        raise DatasetNotFoundError(f"there is no file {path}: check the path.")


def _read_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    _check_exists(path)
    try:
        table = pd.read_csv(path, skipinitialspace=True) if path.suffix == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError) as exc:  # the errors of pandas and pyarrow are ValueErrors
        raise DatasetError(f"cannot read {path}: {' '.join(str(exc).split())}") from exc
    if table.empty:
        raise DatasetError(f"{path} holds no rows, so there is nothing to distil: check the file.")
    table.columns = [str(name) for name in table.columns]
    return table


def _split(table: pd.DataFrame, target: str | None, path: Path) -> tuple[pd.DataFrame, np.ndarray | None]:
    if target is None:
        return table, None
    if target not in table.columns:
        near = get_close_matches(target, table.columns, n=3, cutoff=0.4)
        hint = (
            f"did you mean {', '.join(map(repr, near))}?"
            if near
            else f"its columns are {', '.join(table.columns[:10])}."
        )
        raise DatasetError(f"{path} has no column {target!r}: {hint}")
    if table[target].isna().any():
        raise DatasetError(
            f"column {target!r} of {path} has {int(table[target].isna().sum())} missing values: drop those rows first."
        )
    return table.drop(columns=target), table[target].to_numpy()


def _read_arrays(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    _check_exists(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if "X" not in arrays:
                raise DatasetError(f"{path} has no array X: it holds {', '.join(arrays.files) or 'nothing'}.")
            y = arrays["y"] if "y" in arrays.files else None
            return arrays["X"], y
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as exc:
        raise DatasetError(f"cannot read {path}: {' '.join(str(exc).split())}") from exc
