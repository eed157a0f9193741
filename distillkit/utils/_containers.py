"""NumPy, pandas and torch in; the same container out."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from distillkit.exceptions import DataError

__all__ = ["as_numeric", "is_torch", "label_array", "like_column", "like_rows", "to_numpy"]


def is_torch(array: Any) -> bool:
    """Whether `array` is a torch tensor, asked without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(array, torch.Tensor)


def is_pandas(array: Any) -> bool:
    """Whether `array` is a pandas DataFrame or Series, asked without importing pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(array, (pandas.DataFrame, pandas.Series))


def to_numpy(array: Any) -> Any:
    """Turn a torch tensor into a NumPy array; leave anything else alone."""
    if not is_torch(array):
        return array
    array = array.detach().cpu()
    # NumPy has no bfloat16; float32 holds every one of its values
    return (array.float() if array.dtype is sys.modules["torch"].bfloat16 else array).numpy()


def label_array(y: Any) -> Any:
    """Turn a tensor, or a pandas column of nullable numbers, into an array; leave anything else alone.

    scikit-learn would turn nullable integers into floats, and class labels into what looks like numbers.

    Raises
    ------
    DataError
        If a pandas column has missing values.
    """
    if not is_pandas(y):
        return to_numpy(y)
    missing = int(y.isna().to_numpy().sum())
    if missing:
        raise DataError(f"y contains NaN: {missing} of {len(y)} values are missing; drop those rows.")
    plain = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    return y if plain is None else y.to_numpy(dtype=plain)


def as_numeric(X: Any) -> Any:
    """Refuse text early with a remedy, and turn small numbers into float32, which holds them exactly.

    Raises
    ------
    DataError
        If X is a DataFrame with columns that are not numbers or share a name, or an array of text.
    """
    if is_pandas(X):
        if hasattr(X, "columns") and not X.columns.is_unique:
            twice = X.columns[X.columns.duplicated()].unique().astype(str)
            raise DataError(f"X has several columns named {', '.join(twice)}: give each its own name.")
        dtypes = X.dtypes.items() if hasattr(X, "columns") else [(X.name, X.dtype)]
        bad = [str(name) for name, dtype in dtypes if not _is_number(dtype)]
        if bad:
            shown = ", ".join(bad[:5]) + (", ..." if len(bad) > 5 else "")
            raise DataError(
                f"X has {len(bad)} columns that are not numbers ({shown}): encode them first, "
                "for example with a ColumnTransformer and OneHotEncoder before the distiller."
            )
    elif isinstance(X, np.ndarray):
        if X.dtype.kind in "US":
            raise DataError("X holds text: encode it as numbers first, for example with OneHotEncoder.")
        if X.dtype.kind in "iubf" and X.dtype.itemsize <= 2:  # a quarter of the memory of scikit-learn's float64
            return X.astype(np.float32)
    return X


def _is_number(dtype: Any) -> bool:
    from pandas.api.types import is_numeric_dtype, is_object_dtype

    return bool(is_numeric_dtype(dtype) or is_object_dtype(dtype))  # objects may hold numbers: left to validation


def like_rows(rows: np.ndarray, indices: np.ndarray | slice | None, original: Any, *, carried: bool = False) -> Any:
    """Give rows the container of the rows they came from.

    Parameters
    ----------
    rows : ndarray of shape (m, ...)
    indices : ndarray of shape (m,), slice or None
        Which rows of `original` they are, where that can be said: index labels are then kept.
    original : the X given by the user
    carried : bool
        Whether `rows` are in another space than `original`; picked pandas rows otherwise keep each column's dtype.
    """
    if is_pandas(original):
        if indices is not None and not carried:
            return original.iloc[indices]
        index = None if indices is None else original.index[indices]
        return sys.modules["pandas"].DataFrame(rows, columns=original.columns, index=index)
    if is_torch(original):
        integers_hold = not carried or original.is_floating_point()
        return _tensor(rows, original, original.dtype if integers_hold else None)
    return rows


def like_column(values: np.ndarray | None, indices: np.ndarray | None, original: Any) -> Any:
    """Give distilled labels the container and dtype of the labels they came from; see `like_rows`.

    Made numbers (the mean target of a cluster, say) stay floats where `original` holds integers.
    """
    if values is None:
        return None
    made_fractions = values.dtype.kind == "f"
    if is_pandas(original):
        if indices is not None:
            return original.iloc[indices]
        pandas = sys.modules["pandas"]
        column = original if isinstance(original, pandas.Series) else original.iloc[:, 0]
        is_integer = pandas.api.types.is_integer_dtype(column.dtype)
        dtype = None if made_fractions and is_integer else column.dtype
        return pandas.Series(values, name=column.name, dtype=dtype)
    if is_torch(original):
        keeps = original.is_floating_point() or not made_fractions
        return _tensor(values, original, original.dtype if keeps else None)
    return values


def _tensor(values: np.ndarray, original: Any, dtype: Any) -> Any:
    return sys.modules["torch"].as_tensor(values, dtype=dtype, device=original.device)
