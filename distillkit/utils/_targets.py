"""Validation of y as one column, and inference of the task from its values."""

from __future__ import annotations

import numpy as np
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import assert_all_finite, column_or_1d

from distillkit.exceptions import DataError
from distillkit.utils._containers import plain_array

__all__ = ["describe_task", "infer_task", "one_column"]


def one_column(y: np.ndarray) -> np.ndarray:
    """Return y as one column; numbers stored as Python objects become a numeric column.

    Raises
    ------
    DataError
        If y has several columns, holds dates or times, or mixes text with other values such as
        missing ones.
    """
    if y.ndim > 2 or (y.ndim == 2 and y.shape[1] != 1):
        raise DataError(f"y should be a 1d array of labels or numbers, got an array of shape {y.shape} instead.")
    y = plain_array(column_or_1d(y, warn=True), "y")  # also dates of a frame, which were no array before
    if y.dtype.kind != "O" or all(isinstance(label, str) for label in y):
        return y
    is_plain = not any(isinstance(label, (str, list, tuple, np.ndarray)) for label in y)
    if not is_plain or (numbers := np.array(y.tolist())).dtype.kind not in "iufb":
        kinds = ", ".join(sorted({type(label).__name__ for label in y}))
        raise DataError(f"y holds values of type {kinds}: give text or numbers, not both, and no missing values.")
    return numbers


def infer_task(y: np.ndarray) -> str:
    """Return whether y holds class labels or numbers.

    This rule decides wherever no task is given: in estimators, in ``distillkit distill`` and in
    ``distillkit run``.

    1. Text and booleans are class labels.
    2. Numbers are a regression target if any of them has a fraction.
    3. Whole numbers, stored as integers or as floats, are a regression target if there are more
       than ``max(20, n / 20)`` different ones.
    4. Fewer whole numbers are a regression target, too, if more than half of the n rows differ, but
       only if there are more than two different ones that do not count on without a gap. So three
       measurements 25, 31 and 39 are numbers, whereas 0, 1 and 2 are labels.
    5. All other whole numbers are class labels.

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
    if y.ndim == 1 and y.dtype.kind in "iuf":
        assert_all_finite(y, input_name="y")
        if y.dtype.kind == "f" and np.any(y != np.floor(y)):
            return "regression"
        return "regression" if _are_measurements(np.unique(y), len(y)) else "classification"
    kind = type_of_target(y, input_name="y")
    if kind == "continuous":
        return "regression"
    if kind not in ("binary", "multiclass"):
        raise DataError(
            f"y is of type {kind!r}, but one column of labels or numbers is needed. Unknown label type: {kind}."
        )
    return "classification"


def _are_measurements(values: np.ndarray, n_rows: int) -> bool:
    """Return whether sorted distinct whole numbers of n rows are a regression target."""
    if len(values) > max(20, n_rows / 20):
        return True
    if len(values) <= max(2, n_rows / 2):
        return False
    # The difference as Python integers cannot overflow.
    return int(values[-1]) - int(values[0]) >= len(values)


def describe_task(y: np.ndarray, option: str = "task") -> str:
    """Describe the inferred task of a column of numbers, and how to choose the other task.

    Parameters
    ----------
    y : ndarray of shape (n,)
    option : str, default="task"
        The option that sets the task, as its user writes it.

    Returns
    -------
    str
        Such as ``"regression, 278 different values; task = 'classification' otherwise"``; empty if
        y holds text, booleans, numbers with a fraction or at most two different values, which leave
        no doubt.
    """
    if y.dtype.kind not in "iuf" or (y.dtype.kind == "f" and np.any(y != np.floor(y))):
        return ""
    n_values = len(np.unique(y))
    if n_values <= 2:
        return ""
    task = infer_task(y)
    other = "classification" if task == "regression" else "regression"
    choice = f"{option} {other}" if option.startswith("-") else f"{option} = {other!r}"
    return f"{task}, {n_values} different values; {choice} otherwise"
