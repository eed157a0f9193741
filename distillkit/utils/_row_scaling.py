"""Standardization of rows by column, or by channel of series."""

from __future__ import annotations

import numpy as np

from distillkit.utils._preprocessing import Preprocessing

__all__ = ["fit_scaling"]


def fit_scaling(X: np.ndarray, weight: np.ndarray | None) -> Preprocessing:
    """Fit mean 0 and standard deviation 1 per column, or per channel of series.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    weight : ndarray of shape (n,) or None
        Weights of the rows.

    Returns
    -------
    Preprocessing
    """
    if X.ndim != 3:
        return Preprocessing.standardize(X, weight)
    steps = None if weight is None else np.repeat(weight, X.shape[2])
    scaling = Preprocessing.standardize(np.moveaxis(X, 1, 2).reshape(-1, X.shape[1]), steps)
    mean, scale = (np.repeat(values, X.shape[2]) for values in (scaling.mean, scaling.scale))
    return Preprocessing(mean, scale, kind="standardize")
