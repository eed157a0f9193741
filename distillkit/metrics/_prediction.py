"""Metrics of predictions on the test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, r2_score, recall_score, root_mean_squared_error

from distillkit.distances._samples import as_floats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["accuracy", "balanced_accuracy", "macro_f1", "r2", "rmse"]


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of the rows whose label is predicted correctly.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Labels.

    Returns
    -------
    float
        In [0, 1].
    """
    return float(accuracy_score(y_true, y_pred))


def balanced_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the mean recall over the classes of `y_true` (macro recall).

    A predicted label that is not in `y_true` counts as an error, not as a class of its own.
    scikit-learn's `balanced_accuracy_score` returns the same number, with a warning.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Labels.

    Returns
    -------
    float
        In [0, 1].
    """
    return float(recall_score(y_true, y_pred, labels=np.unique(y_true), average="macro", zero_division=0.0))


def macro_f1(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the mean F1 score over all labels, true or predicted (macro F1).

    The F1 score is the harmonic mean of precision and recall. It is 0 for a label that is never
    predicted, or that is predicted but not in `y_true`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Labels.

    Returns
    -------
    float
        In [0, 1].
    """
    return float(f1_score(y_true, y_pred, average="macro", zero_division=0.0))


def r2(y_true: ArrayLike, y_pred: ArrayLike) -> float | None:
    """Return R2, the share of the variance of `y_true` that the predictions explain.

    1 is a perfect prediction, and 0 is as good as predicting the mean of `y_true`.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Numbers.

    Returns
    -------
    float or None
        At most 1; None for a single number, which has no variance.
    """
    truth, predicted = as_floats(y_true, "y_true"), as_floats(y_pred, "y_pred")
    return float(r2_score(truth, predicted)) if len(truth) > 1 else None


def rmse(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the root mean squared error, in the units of the target.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Numbers.

    Returns
    -------
    float
        At least 0.
    """
    return float(root_mean_squared_error(as_floats(y_true, "y_true"), as_floats(y_pred, "y_pred")))
