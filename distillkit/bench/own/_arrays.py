"""Rows and targets of any container, brought to arrays or to one frame for a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables._frames import column_names, is_frame, refuse_empty, refuse_lazy, to_pandas
from distillkit.utils._containers import label_array, to_numpy
from distillkit.utils._sparse import dense_rows, is_sparse
from distillkit.utils._targets import one_column
from distillkit.utils._weights import checked_weight

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OwnRows", "own_rows"]


@dataclass(frozen=True, eq=False)
class OwnRows:
    """Training rows with their targets and weights, and test rows, if there are any.

    Parameters
    ----------
    X, X_test : ndarray of shape (n, ...) or DataFrame of shape (n, d)
        Arrays of numbers without gaps, or frames.
    y, y_test : ndarray of shape (n,)
    weight : ndarray of shape (n,) or None
    target_name, weight_name : str
        Names that no column of the frame has.
    """

    X: Any
    y: np.ndarray
    X_test: Any = None
    y_test: np.ndarray | None = None
    weight: np.ndarray | None = None
    target_name: str = "target"
    weight_name: str = "weight"

    @property
    def is_array(self) -> bool:
        """Whether the rows are arrays of numbers."""
        return isinstance(self.X, np.ndarray)


def own_rows(X: Any, y: Any, X_test: Any = None, y_test: Any = None, sample_weight: Any = None) -> OwnRows:
    """Bring rows and targets to arrays or frames.

    Parameters
    ----------
    X, X_test : array-like of shape (n, ...) or frame of shape (n, d)
        A frame of pandas, polars or pyarrow, an array, a tensor of torch, or a sparse matrix.
    y, y_test : array-like of shape (n,), or str
        Text names the column of `X` that holds the targets.
    sample_weight : array-like of shape (n,) or None

    Raises
    ------
    DataError
        If rows and targets differ in number, if only one of `X_test` and `y_test` is given, or if
        they hold what no method can use.
    """
    if (X_test is None) != (y_test is None) and not isinstance(y, str):
        given, missing = ("X_test", "y_test") if y_test is None else ("y_test", "X_test")
        raise DataError(f"{given} is given without {missing}: give both, or neither to hold rows of X out.")
    X, y = _pair("X", X, "y", y)
    if X_test is not None:
        X_test, y_test = _pair("X_test", X_test, "y_test", y if y_test is None and isinstance(y, str) else y_test)
    rows, test = _rows("X", X), None if X_test is None else _rows("X_test", X_test)
    if test is not None and isinstance(rows, np.ndarray) != isinstance(test, np.ndarray):
        rows, test = _frame(rows), _frame(test)
    taken = set() if isinstance(rows, np.ndarray) else set(rows.columns)
    return OwnRows(
        rows,
        y,
        test,
        y_test,
        None if sample_weight is None else checked_weight(sample_weight, y),
        _unused("target", taken),
        _unused("weight", taken),
    )


def _pair(name: str, X: Any, y_name: str, y: Any) -> tuple[Any, np.ndarray]:
    """Return rows and their targets as one column, equal in number."""
    refuse_lazy(X)
    if isinstance(y, str):
        X, y = _without_column(name, X, y)
    if y is None:
        raise DataError(f"{y_name} is missing: a comparison trains models, so it needs a label or number for each row.")
    target = _target(y_name, y)
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows != len(target):
        raise DataError(f"{name} has {n_rows} rows, but {y_name} has {len(target)} values: give as many.")
    return X, target


def _without_column(name: str, X: Any, column: str) -> tuple[Any, Any]:
    from difflib import get_close_matches

    if not is_frame(X):
        raise DataError(f"y={column!r} names a column, but {name} is no frame: give the labels or numbers themselves.")
    names = [str(each) for each in column_names(X)]
    if column not in names:
        near = get_close_matches(column, names, n=1)
        hint = (
            f"did you mean {near[0]!r}?"
            if near
            else f"it has {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}."
        )
        raise DataError(f"{name} has no column {column!r}, which y names: {hint}")
    frame = to_pandas(X)
    frame.columns = names
    return frame.drop(columns=column), frame[column]


def _target(name: str, y: Any) -> np.ndarray:
    if is_frame(y):
        y = to_pandas(y)
    try:
        values = one_column(np.asarray(label_array(y)))
    except DataError as exc:
        raise DataError(str(exc).replace("y ", f"{name} ", 1)) from None
    if values.dtype.kind == "f" and (missing := int(np.isnan(values).sum())):
        raise DataError(f"{name} contains NaN: {missing} of {len(values)} values are missing; drop those rows.")
    return values.astype(str) if values.dtype.kind == "O" else values


def _rows(name: str, X: Any) -> Any:
    """Return an array of numbers without gaps as it is, and everything else as a frame."""
    if is_frame(X):
        refuse_empty(X)
        return _frame(X)
    array = dense_rows(X.tocsr()) if is_sparse(X) else np.asarray(to_numpy(X))
    if array.ndim < 2:
        raise DataError(f"{name} has the shape {array.shape}, but rows need two axes or more: (n, features).")
    if not array.size:
        raise DataError(f"{name} is empty (shape {array.shape}): it has no rows or no features.")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    is_gap_free = array.dtype.kind in "iub" or (array.dtype.kind == "f" and not np.isnan(array).any())
    if is_gap_free or array.ndim > 2:
        return array
    return _frame(array)


def _frame(X: Any) -> pd.DataFrame:
    import pandas as pd

    frame = to_pandas(X) if is_frame(X) else pd.DataFrame(X)
    column_names(frame)
    frame = frame.reset_index(drop=True)
    frame.columns = pd.Index([name if isinstance(name, str) else f"x{name}" for name in frame.columns])
    return pd.DataFrame({name: _storable(frame[name]) for name in frame.columns})


def _storable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column that Parquet holds: one of objects becomes numbers if all are, else text."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):  # Categories of numbers would come back as numbers.
        return column.cat.rename_categories(str)
    if column.dtype != object:
        return column
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("integer", "floating", "mixed-integer-float", "boolean", "datetime", "date"):
        return column.infer_objects() if kind != "mixed-integer-float" else column.astype(np.float64)
    return _as_text(column)


def _as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    missing = column.isna()
    return column.astype(object).map(str).astype(object).where(~missing, None)


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
