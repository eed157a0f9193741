"""Loading of arrays from an ``.npz`` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from distillkit.datasets._dataset import Dataset
from distillkit.datasets._loader import loader
from distillkit.datasets._npz_arrays import array_names, read_arrays
from distillkit.datasets._paths import resolve_path
from distillkit.datasets._scaling import standardize
from distillkit.datasets._targets import make_targets
from distillkit.datasets._weight_columns import WEIGHT_COLUMN, checked_file_weight
from distillkit.exceptions import DatasetError

__all__ = ["load_npz", "read_rows"]

_MODALITIES = {2: "table", 3: "series", 4: "image"}
_MAX_BYTE = 255


def _find(root: Path | None, path: str, **_: Any) -> list[Path]:
    return [resolve_path(path, root)]


def _own_test(root: Path | None, path: str, **_: Any) -> bool:
    return bool({"X_test", "y_test"} & array_names(_find(root, path)[0]))


@loader(_find, _own_test)
def load_npz(
    root: Path | None,
    path: str,
    task: str = "auto",
    modality: str = "auto",
    weight: str | Literal[False] | None = None,
    split: int = 0,
) -> Dataset:
    """Load the arrays ``X`` and ``y`` (or ``X_train`` and ``y_train``) of an ``.npz`` file.

    Test rows are ``X_test`` and ``y_test`` if the file has them, otherwise rows are held out.

    Parameters
    ----------
    root : Path or None
        The data folder. A relative path is searched in the working directory first, then in it.
    path : str
        The file.
    task : {"auto", "classification", "regression"}
        "auto" takes text as class labels, and decides about numbers by their values; see
        `distillkit.BaseDistiller`.
    modality : {"auto", "table", "series", "image"}
        "auto" is decided by the axes of X: (n, d), (n, channels, time) or (n, channels, height,
        width). "image" also takes (n, height, width), "series" also takes (n, time), and "table"
        flattens the rows.
    weight : str, False or None
        Array of the weights of the training rows; None takes ``sample_weight`` if there is one, as
        in the files of distilled sets, and False takes none.
    split : int
        Number of the split, which chooses the rows that are held out.

    Returns
    -------
    Dataset
        Tables and series are standardized with statistics of the training rows. Images keep their
        values, and whole numbers from 0 to 255 become uint8.

    Raises
    ------
    DatasetNotFoundError
        If the file does not exist.
    DatasetError
        If the file is damaged, if arrays are missing, if X holds text, NaN or infinite values, or
        if the weights are invalid.
    """
    # 1. Read the arrays.
    file_path = _find(root, path)[0]
    arrays = read_arrays(file_path)
    X, y = _take(file_path, arrays, "X", "X_train"), _take(file_path, arrays, "y", "y_train")
    has_test_rows = {"X_test", "y_test"} & set(arrays)
    X_test, y_test = (_take(file_path, arrays, name) if has_test_rows else None for name in ("X_test", "y_test"))
    if X.ndim < 2:
        raise DatasetError(f"{file_path}: X has {X.ndim} axes, but rows need at least two: (n, features).")
    y, y_test = _column(file_path, y), None if y_test is None else _column(file_path, y_test)
    weights = _weight(file_path, arrays, weight, len(X))
    # 2. Find the modality, and bring the rows to its shape.
    kind = modality if modality != "auto" else _MODALITIES.get(X.ndim, f"unknown, X having {X.ndim} axes")
    if kind not in _MODALITIES.values():
        raise DatasetError(
            f"{file_path}: modality {kind!r}: give 'table' (n, d), 'series' (n, channels, time) or 'image' "
            "(n, channels, height, width)."
        )
    X = _rows(f"{file_path}: X", X, kind)
    X_test = None if X_test is None else _rows(f"{file_path}: X_test", X_test, kind)
    for rows, labels, names in ((X, y, "X and y"), (X_test, y_test, "X_test and y_test")):
        if rows is not None and labels is not None and len(rows) != len(labels):
            raise DatasetError(f"{file_path}: {names} have {len(rows)} and {len(labels)} rows, but must have as many.")
    # 3. Encode the targets, and hold test rows out if the file has none.
    targets = make_targets(str(file_path), y, y_test, task, split)
    X_train, X_test = X[targets.train], (X if X_test is None else X_test)[targets.test]
    if X_train.shape[1:] != X_test.shape[1:]:
        raise DatasetError(
            f"{file_path}: rows of X have shape {X_train.shape[1:]}, those of X_test {X_test.shape[1:]}; "
            "they must be equal."
        )
    # 4. Standardize tables and series.
    prepared = "pixels as stored"
    if kind != "image":
        X_train, X_test = standardize(X_train, X_test)
        prepared = f"{'columns' if kind == 'table' else 'channels'} standardized with statistics of the training rows"
    elif X_train.dtype != X_test.dtype:
        X_train, X_test = X_train.astype(np.float32), X_test.astype(np.float32)
    return Dataset(
        name=file_path.stem,
        task=targets.task,
        modality=kind,
        X_train=X_train,
        y_train=targets.y_train,
        X_test=X_test,
        y_test=targets.y_test,
        classes=targets.classes,
        feature_names=tuple(f"x{i}" for i in range(X.shape[1])) if kind == "table" else (),
        preparation=f"{prepared}; {targets.note}" if targets.note else prepared,
        task_note=targets.task_note,
        weight_train=None if weights is None else weights[targets.train],
    )


def read_rows(
    file_path: Path, weight: str | Literal[False] | None = None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Read ``X`` and ``y`` (or ``X_train`` and ``y_train``) of an ``.npz`` file, unchanged.

    Parameters
    ----------
    file_path : Path
    weight : str, False or None
        See `load_npz`.

    Returns
    -------
    X : ndarray of shape (n, ...)
    y : ndarray of shape (n,) or None
        None if the file has no targets.
    sample_weight : ndarray of shape (n,) or None
        None if the rows have no weights.

    Raises
    ------
    DatasetError
        If the file is damaged, if it has no X, if X and y differ in length, or if the weights are
        invalid.
    """
    arrays = read_arrays(file_path)
    X = _take(file_path, arrays, "X", "X_train")
    weights = _weight(file_path, arrays, weight, len(X) if X.ndim else 0)
    if not {"y", "y_train"} & set(arrays):
        return X, None, weights
    y = _column(file_path, _take(file_path, arrays, "y", "y_train"))
    if X.ndim and len(X) != len(y):
        raise DatasetError(f"{file_path}: X and y have {len(X)} and {len(y)} rows, but must have as many.")
    return X, y, weights


def _weight(
    file_path: Path, arrays: dict[str, np.ndarray], name: str | Literal[False] | None, n_rows: int
) -> np.ndarray | None:
    """Return the weights of the rows, checked; None if there are none."""
    if name is False or (name is None and WEIGHT_COLUMN not in arrays):
        return None
    name = WEIGHT_COLUMN if name is None else name
    values = _take(file_path, arrays, name)
    if values.shape != (n_rows,):
        raise DatasetError(
            f"{file_path}: {name} has shape {values.shape}, but X has {n_rows} rows: save one weight for each row."
        )
    return checked_file_weight(file_path, name, values)


def _take(file_path: Path, arrays: dict[str, np.ndarray], *names: str) -> np.ndarray:
    for name in names:
        if name in arrays:
            return arrays[name]
    raise DatasetError(
        f"{file_path} has no array {' or '.join(names)} (it holds {', '.join(arrays) or 'none'}): save X and y, "
        "and X_test with y_test if there are test rows."
    )


def _rows(name: str, X: np.ndarray, modality: str) -> np.ndarray:
    """Check the values, and bring them to the axes of the modality."""
    if X.dtype.kind not in "iufb":
        raise DatasetError(
            f"{name} holds {'text' if X.dtype.kind in 'US' else X.dtype}, but only numbers can be rows: "
            "encode it first."
        )
    if X.ndim < 2:
        raise DatasetError(f"{name} has {X.ndim} axes, but rows need at least two: (n, features).")
    if bad := np.count_nonzero(~np.isfinite(X)) if X.dtype.kind == "f" else 0:
        raise DatasetError(f"{name} holds {bad} values that are NaN or infinite: impute or remove these rows.")
    if not X.size:
        raise DatasetError(f"{name} is empty (shape {X.shape}): it has no rows or no features.")
    axes = next(axes for axes, kind in _MODALITIES.items() if kind == modality)
    if modality == "table":
        X = X.reshape(len(X), -1)
    elif X.ndim == axes - 1:
        X = X[:, None]
    if X.ndim != axes:
        raise DatasetError(
            f"{name} has {X.ndim} axes {X.shape}, which is no {modality}: "
            f"(n, channels, {'time' if axes == 3 else 'height, width'})."
        )
    if modality == "image":
        return _pixels(name, X)
    return X.astype(np.float32) if X.dtype.itemsize < 4 else X


def _pixels(name: str, X: np.ndarray) -> np.ndarray:
    if X.shape[1] not in (1, 3, 4) and X.shape[-1] in (1, 3, 4):
        raise DatasetError(f"{name} has shape {X.shape}, the channels last: save numpy.moveaxis(X, -1, 1) instead.")
    are_bytes = X.dtype.kind in "iu" and len(X) and X.min() >= 0 and X.max() <= _MAX_BYTE
    if not are_bytes and X.dtype.itemsize > 4 and len(X) and max(X.max(), -X.min()) > np.finfo(np.float32).max:
        raise DatasetError(f"{name} holds {max(X.max(), -X.min()):.3g}, which float32 cannot: divide the images by it.")
    return X.astype(np.uint8 if are_bytes else np.float32, copy=False)


def _column(file_path: Path, y: np.ndarray) -> np.ndarray:
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    if y.ndim != 1:
        raise DatasetError(f"{file_path}: y has shape {y.shape}, but one label or number per row is needed: (n,).")
    return y
