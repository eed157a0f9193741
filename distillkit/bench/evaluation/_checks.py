"""Checks what methods and models return, so that wrong rows and predictions never count as ok."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError

if TYPE_CHECKING:
    from distillkit.datasets import Dataset

__all__ = ["checked_predictions", "checked_rows"]

_NUMBERS = "biuf"
"""Kinds of dtypes that are numbers."""


def checked_rows(distilled: Any, dataset: Dataset) -> DistilledSet:
    """Return what a method has left in `distilled_`, if it suits the training rows.

    Raises
    ------
    DataError
        If it is no distilled set with rows and targets, if rows have another shape than the
        training rows, if values, targets, weights or soft labels are NaN or infinite, or if there
        are labels that the training rows do not have.
    """
    if not isinstance(distilled, DistilledSet) or distilled.y is None or not len(distilled):
        raise DataError(f"the method left {distilled!r} in distilled_, which is no DistilledSet with rows and targets.")
    expected = _row_shape(distilled, dataset)
    if distilled.X.shape[1:] != expected:
        raise DataError(f"the distilled rows have the shape {distilled.X.shape[1:]}, the training rows {expected}.")
    _check_finite("the distilled rows", distilled.X)
    _check_finite("the weights of the distilled rows", distilled.sample_weight)
    if np.min(np.asarray(distilled.sample_weight)) < 0 or not np.any(distilled.sample_weight):
        raise DataError("the weights of the distilled rows are negative, or all zero.")
    if distilled.soft_labels is not None:
        _check_finite("the soft labels of the distilled rows", distilled.soft_labels)
    if dataset.task == "regression":
        _check_finite("the targets of the distilled rows", distilled.y)
    else:
        _check_labels(distilled, dataset)
    return distilled


def checked_predictions(predictions: Any, n_rows: int) -> np.ndarray:
    """Return the predictions of a model as an array, if there is a finite one for each row.

    Raises
    ------
    DataError
        If the predictions have another shape than (n_rows,), or hold NaN or infinite values.
    """
    values = np.asarray(predictions)
    if values.shape != (n_rows,):
        raise DataError(f"the predictions have the shape {values.shape} for {n_rows} test rows, not ({n_rows},).")
    if values.dtype.kind == "f":
        _check_finite("the predictions", values)
    return values


def _row_shape(distilled: DistilledSet, dataset: Dataset) -> tuple[int, ...]:
    """Return the shape of one training row in the space of the distilled rows."""
    one = dataset.X_train[:1]
    return tuple((one if distilled.preprocessing is None else distilled.preprocessing.transform(one)).shape[1:])


def _check_finite(what: str, values: Any) -> None:
    values = np.asarray(values)
    if values.dtype.kind not in _NUMBERS:
        raise DataError(f"{what} are of type {values.dtype}, not numbers.")
    if bad := np.count_nonzero(~np.isfinite(values)):
        raise DataError(f"{what} hold {bad} values that are NaN or infinite.")


def _check_labels(distilled: DistilledSet, dataset: Dataset) -> None:
    """Raise an error for labels that the training rows do not have."""
    known = np.unique(dataset.y_train)
    for what, labels in (("labels", distilled.y), ("classes", distilled.classes)):
        if labels is None:
            continue
        values = np.asarray(labels)
        foreign = values[~np.isin(values, known)] if values.dtype.kind in _NUMBERS else values
        if len(foreign):
            shown = ", ".join(sorted({repr(label) for label in foreign.tolist()})[:5])
            raise DataError(f"the {what} of the distilled rows are not those of the training rows: {shown[:200]}.")
