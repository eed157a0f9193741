"""Conversion of NumPy, pandas and torch containers to arrays, and of results back to them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.utils._sparse import is_sparse

__all__ = [
    "as_numeric",
    "is_torch",
    "label_array",
    "like_column",
    "like_rows",
    "plain_array",
    "refuse_long_integers",
    "to_numpy",
]


_TEXT = (
    "X holds text: give a pandas, polars or pyarrow frame, whose columns are encoded, or encode it as numbers, for "
    "example with OneHotEncoder."
)
_TABLE_AXES = 2
_FLOAT64_BYTES = 8
_HIGHEST, _LOWEST = 2**64 - 1, -(2**63)
_LARGEST_FLOAT64 = int(np.finfo(np.float64).max)


def is_torch(array: Any) -> bool:
    """Whether `array` is a torch tensor; does not import torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(array, torch.Tensor)


def is_pandas(array: Any) -> bool:
    """Whether `array` is a pandas DataFrame or Series; does not import pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(array, (pandas.DataFrame, pandas.Series))


def to_numpy(array: Any) -> Any:
    """Convert a torch tensor to a NumPy array; return anything else unchanged."""
    if not is_torch(array):
        return array
    array = array.detach().cpu()
    # NumPy has no bfloat16; float32 represents all of its values exactly.
    return (array.float() if array.dtype is sys.modules["torch"].bfloat16 else array).numpy()


def label_array(y: Any) -> Any:
    """Convert a tensor, or a pandas column of nullable numbers or truth values, to an array.

    Anything else is returned unchanged. scikit-learn would convert nullable integers and categories
    of truth values to floats, so that class labels would look like numbers.

    Raises
    ------
    DataError
        If a pandas column has missing values, or an array has masked values or holds dates.
    """
    if not is_pandas(y):
        return plain_array(to_numpy(y), "y")
    missing = int(y.isna().to_numpy().sum())
    if missing:
        raise DataError(f"y contains NaN: {missing} of {len(y)} values are missing; drop those rows.")
    if hasattr(y, "columns"):
        return np.asarray(label_array(y.iloc[:, 0])).reshape(-1, 1) if y.shape[1] == 1 else y
    dtype = y.dtype
    plain = getattr(dtype, "numpy_dtype", None)
    if plain is not None:
        return y.to_numpy(dtype=plain)
    categories = getattr(dtype, "categories", None)
    return y if categories is None or categories.dtype.kind != "b" else y.to_numpy(dtype=bool)


def as_numeric(X: Any) -> Any:
    """Raise a clear error for text, and convert 8- and 16-bit numbers to float32, which is exact.

    Raises
    ------
    DataError
        If X is a DataFrame with columns that are not numeric or share a name, or an array of text,
        of dates or of records, or an array that has masked values or rows without values.
    """
    X = plain_array(X, "X")
    if is_pandas(X):
        if hasattr(X, "columns") and not X.columns.is_unique:
            duplicates = X.columns[X.columns.duplicated()].unique().astype(str)
            raise DataError(f"X has several columns named {', '.join(duplicates)}: give each column its own name.")
        dtypes = list(X.dtypes.items()) if hasattr(X, "columns") else [(X.name, X.dtype)]
        complex_columns = [str(name) for name, dtype in dtypes if getattr(dtype, "kind", "") == "c"]
        if complex_columns:
            raise DataError(
                f"column {complex_columns[0]!r} of X holds complex numbers: give real and imaginary part as two "
                "columns."
            )
        text_columns = [str(name) for name, dtype in dtypes if not _is_number(dtype)]
        if text_columns:
            examples = ", ".join(text_columns[:5]) + (", ..." if len(text_columns) > 5 else "")
            raise DataError(
                f"X has {len(text_columns)} columns that are not numbers ({examples}): encode them first, "
                "for example with a ColumnTransformer and OneHotEncoder before the distiller."
            )
    elif isinstance(X, np.ndarray) or is_sparse(X):
        if X.dtype.kind in "US" or (X.dtype.kind == "O" and _holds_text(X)):
            raise DataError(_TEXT)
        if X.dtype.kind in "iubf" and X.dtype.itemsize <= 2:  # less memory than scikit-learn's float64
            return X.astype(np.float32)
    elif isinstance(X, (list, tuple)) and _holds_text(X):
        raise DataError(_TEXT)
    return X


def _holds_text(X: Any) -> bool:
    """Whether objects or lists hold text that is no number, which scikit-learn would not name."""
    try:
        np.asarray(X, dtype=np.float64)
    except ValueError as exc:
        return "could not convert string to float" in str(exc)
    except (TypeError, OverflowError):  # what is wrong is said where the values are used
        pass
    return False


def plain_array(values: Any, name: str) -> Any:
    """Return an array without a mask; raise an error unless it holds plain numbers or labels.

    scikit-learn would take masked values and dates for the numbers that represent them in memory.
    """
    if not isinstance(values, np.ndarray):
        return values
    if isinstance(values, np.ma.MaskedArray):
        masked = int(np.ma.getmaskarray(values).sum())
        if masked:
            raise DataError(
                f"{name} is a masked array with {masked} masked values: fill them, as by {name}.filled(0), or drop "
                "their rows."
            )
        values = np.asarray(values)
    if values.dtype.kind in "mM":
        remedy = "text or numbers" if name == "y" else "numbers, or a frame, whose dates are encoded"
        raise DataError(f"{name} holds dates or times, of type {values.dtype}: give {remedy}.")
    if values.dtype.kind == "V":
        raise DataError(f"{name} is an array of records, of type {values.dtype}: give pandas.DataFrame({name}).")
    if values.ndim > _TABLE_AXES and values.size == 0 and len(values):
        raise DataError(f"{name} has shape {values.shape}, with 0 values in each row: a minimum of 1 is required.")
    if name == "y":
        refuse_long_integers(values)
        return values
    return _within_float64(values)


def refuse_long_integers(y: np.ndarray) -> None:
    """Raise an error for labels or targets that are integers beyond 64 bits."""
    integers = [value for value in y.ravel().tolist() if isinstance(value, int)] if y.dtype.kind == "O" else []
    if integers and (max(integers) > _HIGHEST or min(integers) < _LOWEST):
        raise DataError(
            "y holds integers beyond 64 bits, which no array of numbers can represent: subtract a common offset, or "
            "give them as text if they are labels."
        )


def _within_float64(values: np.ndarray) -> np.ndarray:
    """Raise an error for rows with numbers beyond the range of float64, and return the rows."""
    is_long = values.dtype.kind == "f" and values.dtype.itemsize > _FLOAT64_BYTES
    if is_long or values.dtype.kind == "O":
        try:
            with np.errstate(over="ignore"):
                overflows = bool(np.isinf(values.astype(np.float64)).sum() > (np.isinf(values).sum() if is_long else 0))
        except OverflowError:
            overflows = True
        except (TypeError, ValueError):  # scikit-learn says what is wrong
            return values
        if is_long and not overflows:
            return np.asarray(values, dtype=np.float64)
        if overflows and (is_long or _has_long_integers(values)):
            raise DataError("X holds numbers beyond the range of float64: divide them by a power of ten.")
    return values


def _has_long_integers(values: np.ndarray) -> bool:
    """Tell whether an array of objects holds integers of Python that no float64 can represent."""
    return any(isinstance(value, int) and abs(value) > _LARGEST_FLOAT64 for value in values.ravel().tolist())


def _is_number(dtype: Any) -> bool:
    """Whether a pandas dtype is numeric, or object."""
    from pandas.api.types import is_numeric_dtype, is_object_dtype

    # Columns of objects may hold numbers; scikit-learn validates them.
    return bool(is_numeric_dtype(dtype) or is_object_dtype(dtype))


def like_rows(rows: np.ndarray, indices: np.ndarray | slice | None, original: Any, *, carried: bool = False) -> Any:
    """Return rows in the container of the rows they came from.

    Parameters
    ----------
    rows : ndarray of shape (m, ...)
    indices : ndarray of shape (m,), slice or None
        Positions of the rows in `original`, if they correspond to its rows; index labels are then
        kept.
    original : array-like
        The X given by the user.
    carried : bool
        Whether `rows` are in a different space than `original`. Otherwise selected pandas rows keep
        the dtype of each column.

    Returns
    -------
    array-like
    """
    if is_pandas(original):
        if indices is not None and not carried:
            return original.iloc[indices]
        index = None if indices is None else original.index[indices]
        return sys.modules["pandas"].DataFrame(rows, columns=original.columns, index=index)
    if is_torch(original):
        keeps_dtype = original.is_floating_point() or not (carried or rows.dtype.kind == "f")
        return _tensor(rows, original, original.dtype if keeps_dtype else None)
    return rows


def like_column(values: np.ndarray | None, indices: np.ndarray | None, original: Any) -> Any:
    """Return distilled labels in the container and dtype of `original`; see `like_rows`.

    Synthetic numbers (such as the mean target of a cluster) stay floats if `original` holds
    integers, or categories that they do not belong to.
    """
    if values is None:
        return None
    is_float = values.dtype.kind == "f"
    if is_pandas(original):
        if indices is not None:
            return original.iloc[indices]
        pandas = sys.modules["pandas"]
        is_series = isinstance(original, pandas.Series)
        column = original if is_series else original.iloc[:, 0]
        is_integer = pandas.api.types.is_integer_dtype(column.dtype)
        is_category = isinstance(column.dtype, pandas.CategoricalDtype)
        keeps_floats = is_float and (is_integer or (is_category and not set(values) <= set(column.cat.categories)))
        dtype = None if keeps_floats else column.dtype
        made = pandas.Series(values, name=column.name, dtype=dtype)
        return made if is_series else made.to_frame()
    if is_torch(original):
        keeps_dtype = original.is_floating_point() or not is_float
        return _tensor(values, original, original.dtype if keeps_dtype else None)
    return values


def _tensor(values: np.ndarray, original: Any, dtype: Any) -> Any:
    """Return values as a tensor on the device of `original`."""
    return sys.modules["torch"].as_tensor(values, dtype=dtype, device=original.device)
