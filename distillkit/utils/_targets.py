"""Validation of y as one column, and inference of the task from its values."""

from __future__ import annotations

import numpy as np
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from distillkit.exceptions import DataError

__all__ = ["infer_task", "one_column"]


def one_column(y: np.ndarray) -> np.ndarray:
    """Return y as one column; numbers stored as Python objects become a numeric column.

    Raises
    ------
    DataError
        If y has several columns, or mixes text with other values such as missing ones.
    """
    if y.ndim > 2 or (y.ndim == 2 and y.shape[1] != 1):
        raise DataError(f"y should be a 1d array of labels or numbers, got an array of shape {y.shape} instead.")
    y = column_or_1d(y, warn=True)
    if y.dtype.kind != "O" or all(isinstance(label, str) for label in y):
        return y
    if any(isinstance(label, str) for label in y) or (numbers := np.array(y.tolist())).dtype.kind not in "iufb":
        kinds = ", ".join(sorted({type(label).__name__ for label in y}))
        raise DataError(f"y holds values of type {kinds}: give text or numbers, not both, and no missing values.")
    return numbers


def infer_task(y: np.ndarray) -> str:
    """Return whether y holds class labels or numbers.

    Text, booleans and integers are class labels. Floats are numbers if any of them has a fraction.
    They are also numbers if there are more than two distinct values, and these are more than
    ``max(20, n / 20)`` or more than half of the rows: measurements in whole numbers, such as blood
    sugar, are not classes.

    Parameters
    ----------
    y : ndarray of shape (n,)

    Returns
    -------
    {"classification", "regression"}

    Raises
    ------
    DataError
        If y is not one column of labels or numbers.
    """
    kind = type_of_target(y, input_name="y")
    if kind == "continuous":
        return "regression"
    if kind not in ("binary", "multiclass"):
        raise DataError(
            f"y is of type {kind!r}, but one column of labels or numbers is needed. Unknown label type: {kind}."
        )
    if y.dtype.kind == "f":
        n_distinct = len(np.unique(y))
        if n_distinct > 2 and (n_distinct > max(20, len(y) / 20) or n_distinct > len(y) / 2):
            return "regression"
    return "classification"
