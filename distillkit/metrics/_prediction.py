"""Metrics of predictions on the test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, r2_score, recall_score, root_mean_squared_error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["accuracy", "balanced_accuracy", "macro_f1", "r2", "rmse"]


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of the rows whose label is right.

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
    """Mean over the classes of `y_true` of the share of their rows that is right (macro recall).

    A label that is predicted but not in `y_true` is a wrong answer and no class of its own; scikit-learn's
    `balanced_accuracy_score` gives the same number, with a warning.

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
    """Mean over all labels, true or predicted, of the harmonic mean of precision and recall.

    A label that is never predicted, or predicted but not in `y_true`, counts as 0.

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


def r2(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of the variance of `y_true` that is explained: 1 is perfect, 0 is no better than its mean.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Numbers; at least two.

    Returns
    -------
    float
        At most 1.
    """
    return float(r2_score(y_true, y_pred))


def rmse(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Root of the mean squared error, in the units of the target.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Numbers.

    Returns
    -------
    float
    """
    return float(root_mean_squared_error(y_true, y_pred))
