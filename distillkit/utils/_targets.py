"""What y holds: one column of class labels or of numbers."""

from __future__ import annotations

import numpy as np
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from distillkit.exceptions import DataError

__all__ = ["infer_task", "one_column"]


def one_column(y: np.ndarray) -> np.ndarray:
    """Return y as one column; numbers kept as Python objects become a column of numbers.

    Raises
    ------
    DataError
        If y has several columns, or mixes text with other things (missing values, say).
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
    """Tell whether y holds class labels or numbers.

    Text, booleans and integers are class labels. Floats are numbers if any has a fraction, or if there are more
    than two different ones and these are more than ``max(20, n / 20)`` or more than half the rows: whole-numbered
    measurements (blood sugar, say) are not 200 classes, however few of them there are.

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
        different = len(np.unique(y))
        if different > 2 and (different > max(20, len(y) / 20) or different > len(y) / 2):
            return "regression"
    return "classification"
