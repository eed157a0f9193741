"""Mean 0 and standard deviation 1, with the statistics of the training rows alone."""

from __future__ import annotations

import numpy as np

__all__ = ["standardize"]


def standardize(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardize axis 1 (the columns of a table, the channels of series) over all other axes.

    Constant columns are only centred, also those whose computed deviation is a rounding error. NaN count for
    nothing and stay.

    Parameters
    ----------
    train, test : ndarray of shape (n, d) or (n, channels, time)

    Returns
    -------
    train, test : ndarray of float32
    """
    from sklearn.preprocessing import StandardScaler

    def as_columns(X: np.ndarray) -> np.ndarray:
        return np.moveaxis(X, 1, -1).reshape(-1, X.shape[1]).astype(np.float64)

    def as_given(columns: np.ndarray, X: np.ndarray) -> np.ndarray:
        shape = (X.shape[0], *X.shape[2:], X.shape[1])
        return np.ascontiguousarray(np.moveaxis(columns.reshape(shape), -1, 1), dtype=np.float32)

    columns = as_columns(train)
    scaler = StandardScaler().fit(columns)
    return as_given(scaler.transform(columns), train), as_given(scaler.transform(as_columns(test)), test)
