"""Standardization to mean 0 and standard deviation 1, with statistics of the training rows."""

from __future__ import annotations

import numpy as np

__all__ = ["standardize"]


def standardize(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardize the columns of a table or the channels of series (axis 1).

    Constant columns are centered only, including those whose computed deviation is a rounding
    error. NaN are ignored in the statistics, and stay NaN.

    Parameters
    ----------
    train, test : ndarray of shape (n, d) or (n, channels, time)

    Returns
    -------
    train, test : ndarray of float32
        In the same shapes, scaled with the mean and the deviation of `train`.
    """
    from sklearn.preprocessing import StandardScaler

    def as_columns(X: np.ndarray) -> np.ndarray:
        return np.moveaxis(X, 1, -1).reshape(-1, X.shape[1]).astype(np.float64)

    def to_shape_of(columns: np.ndarray, X: np.ndarray) -> np.ndarray:
        shape = (X.shape[0], *X.shape[2:], X.shape[1])
        return np.ascontiguousarray(np.moveaxis(columns.reshape(shape), -1, 1), dtype=np.float32)

    columns = as_columns(train)
    scaler = StandardScaler().fit(columns)
    return to_shape_of(scaler.transform(columns), train), to_shape_of(scaler.transform(as_columns(test)), test)
