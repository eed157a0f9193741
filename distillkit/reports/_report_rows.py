"""Rows of any container with their targets and weights, as a report compares them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from distillkit.distilled import DistilledSet
from distillkit.exceptions import ArtefactError, DataError, DistillkitWarning
from distillkit.tables._frames import column_names, is_frame, refuse_lazy, to_pandas
from distillkit.utils._containers import label_array, to_numpy
from distillkit.utils._sparse import dense_rows, is_sparse
from distillkit.utils._targets import one_column

__all__ = ["WEIGHT", "ReportRows", "read_real", "read_small", "read_test", "without_weight"]

WEIGHT = "sample_weight"
_PAIR = 2


@dataclass
class ReportRows:
    """Rows with what is known of them.

    Parameters
    ----------
    X : DataFrame of shape (n, d), or ndarray of shape (n, ...)
        The columns of a frame have text as names.
    y : ndarray of shape (n,) or None
    role : str
        What messages call these rows, such as "the real rows".
    is_named : bool
        Whether the columns have names that were given, and not made.
    weight : ndarray of shape (n,) or None
    classes, soft_labels : ndarray or None
        As of `DistilledSet`.
    target : str or None
        Name of the column that held the target.
    nbytes : int or None
        Bytes of the rows, where a distilled set says them.
    provenance : dict
        As of `DistilledSet`.
    """

    X: Any
    y: np.ndarray | None
    role: str
    is_named: bool = False
    weight: np.ndarray | None = None
    classes: np.ndarray | None = None
    soft_labels: np.ndarray | None = None
    target: str | None = None
    nbytes: int | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.X)

    @property
    def names(self) -> list[str]:
        """Names of the columns of a table."""
        return list(self.X.columns) if isinstance(self.X, pd.DataFrame) else []

    def with_target(self, name: str) -> ReportRows:
        """Take a column of the table out as the target."""
        self.y = _target(self.X[name], self.role)
        self.X, self.target = self.X.drop(columns=name), name
        return self


def read_real(real: Any, y: Any, target: str | None, role: str = "the real rows") -> ReportRows:
    """Read the real rows: a path, the name of a dataset, a frame, an array, or a pair (X, y).

    Raises
    ------
    DataError
        If there are no rows, they are of no known kind, or the targets do not suit them.
    """
    if isinstance(real, DistilledSet) or hasattr(real, "distilled_"):
        raise DataError(f"{role} are a {type(real).__name__}: give the rows first, report(real, small).")
    if isinstance(real, ReportRows):
        return real
    if _is_pair(real):
        if y is not None:
            raise DataError(f"{role} are a pair (X, y), and y is given as well: give the targets once.")
        real, y = real
    if isinstance(real, str | Path):
        from distillkit.datasets import load_rows

        loaded, loaded_y, weight = load_rows(str(real), target=target, return_weight=True)
        y = loaded_y if y is None else y
        rows = _made(loaded, y, role)
        rows.target, rows.weight = target, weight
        return rows
    rows = _made(real, y, role)
    if target is not None and rows.y is None:
        return _split(rows, target)
    if target is not None and target in rows.names:
        raise DataError(f"target={target!r} names a column of {role}, and y is given as well: give the target once.")
    rows.target = target
    return rows


def read_small(small: Any, target: str | None) -> ReportRows:
    """Read the small set: a distilled set, its file, a fitted method, a frame, or a pair (X, y).

    Raises
    ------
    DataError
        If there are no rows, or they are of no known kind.
    ArtefactError
        If the file is no distilled set.
    """
    role = "the small set"
    small = getattr(small, "distilled_", small)
    if isinstance(small, str | Path):
        small = _read_file(Path(small), target)
    if isinstance(small, DistilledSet):
        return _of_set(small, role)
    if isinstance(small, ReportRows):
        return small
    if _is_pair(small):
        return _made(small[0], small[1], role)
    return without_weight(_made(small, None, role))


def read_test(test: Any, target: str | None) -> ReportRows | None:
    """Read the held-out rows; see `read_real`."""
    if test is None or isinstance(test, ReportRows):
        return test
    if _is_pair(test):
        return _made(test[0], test[1], "the test rows")
    if isinstance(test, str | Path):
        return read_real(test, None, target, "the test rows")
    rows = _made(test, None, "the test rows")
    return rows.with_target(target) if target in rows.names else rows


def _read_file(path: Path, target: str | None) -> Any:
    """Return the set of a file, or the rows of a table."""
    if path.suffix not in (".csv", ".tsv", ".parquet", ".npz"):
        return DistilledSet.load(path)
    if not path.exists():
        raise ArtefactError(f"there is no file {path}: name the file of a small set.")
    from distillkit.datasets import load_rows

    with warnings.catch_warnings():
        # Weights are expected in the file of a small set.
        warnings.simplefilter("ignore", DistillkitWarning)
        X, y, weight = load_rows(str(path), return_weight=True)
    rows = _made(X, y, "the small set")
    rows.weight, rows.nbytes = weight, None
    return rows.with_target(target) if target in rows.names else rows


def _of_set(small: DistilledSet, role: str) -> ReportRows:
    _refuse_empty(len(small), role)
    X: Any = small.in_original_units()
    if small.X.ndim == 2 and small.table is not None:
        X = small.table.to_pandas(X)
    elif small.X.ndim == 2 and small.feature_names is not None and len(small.feature_names) == X.shape[1]:
        X = pd.DataFrame(X, columns=list(small.feature_names))
    rows = _made(X, small.y, role)
    rows.is_named = isinstance(X, pd.DataFrame)
    rows.weight, rows.classes, rows.soft_labels = small.sample_weight, small.classes, small.soft_labels
    rows.nbytes, rows.provenance = small.nbytes, dict(small.provenance)
    return rows


def _made(X: Any, y: Any, role: str) -> ReportRows:
    """Return rows with tables as pandas frames of plain column names, and all else as arrays."""
    refuse_lazy(X)
    frame = is_frame(X)
    if frame:
        column_names(X)
        X = to_pandas(X)
        X = X.set_axis([str(name) for name in X.columns], axis=1).reset_index(drop=True)
    else:
        X = dense_rows(X) if is_sparse(X) else np.asarray(to_numpy(X))
        _check_array(X, role)
    _refuse_empty(len(X), role)
    if X.ndim == 2 and not frame:
        X = pd.DataFrame(X, columns=[f"x{place}" for place in range(X.shape[1])]).infer_objects()
    if not X.shape[1]:
        raise DataError(f"{role} have no columns: give at least one.")
    target = None if y is None else _target(y, role)
    if target is not None and len(target) != len(X):
        raise DataError(f"{role} have {len(X)} rows and {len(target)} targets: give one target for each row.")
    return ReportRows(X, target, role, is_named=frame)


def _check_array(X: np.ndarray, role: str) -> None:
    if X.ndim not in (2, 3, 4):
        raise DataError(
            f"{role} have the shape {X.shape}: give a table (n, columns), series (n, channels, time) or images "
            "(n, channels, height, width)."
        )
    if X.ndim > 2 and X.dtype.kind not in "biuf":
        raise DataError(f"{role} hold values of type {X.dtype}: give numbers.")


def _refuse_empty(n_rows: int, role: str) -> None:
    if not n_rows:
        raise DataError(f"{role} are empty: give at least one row." if "rows" in role else f"{role} has no rows.")


def _target(y: Any, role: str) -> np.ndarray:
    """Return targets as labels or numbers without gaps."""
    if is_frame(y):
        y = to_pandas(y)
    gaps = int(np.asarray(pd.isna(y.to_pandas() if hasattr(y, "to_pandas") else np.asarray(y, dtype=object))).sum())
    if gaps:
        raise DataError(f"the target of {role} has {gaps} gaps: leave these rows out.")
    return one_column(np.asarray(label_array(y)))


def _split(rows: ReportRows, target: str) -> ReportRows:
    if target not in rows.names:
        listed = ", ".join(map(repr, rows.names[:10])) + (", ..." if len(rows.names) > 10 else "")
        raise DataError(f"target={target!r} is no column of {rows.role}, which have {listed or 'no names'}: name one.")
    return rows.with_target(target)


def without_weight(rows: ReportRows) -> ReportRows:
    """Take a column of weights, as the files of distilled sets have it, out of the features."""
    if WEIGHT in rows.names:
        rows.weight = rows.X[WEIGHT].to_numpy(dtype=np.float64)
        rows.X = rows.X.drop(columns=WEIGHT)
    return rows


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == _PAIR
