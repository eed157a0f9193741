"""Standardization to mean 0 and standard deviation 1, with statistics of the training rows."""

from __future__ import annotations

from typing import Self

import numpy as np

from distillkit.exceptions import DatasetError
from distillkit.utils._moments import extreme_columns

__all__ = ["Standardizer", "standardize"]

_LARGEST = 1e15  # squares of larger values, summed over columns, leave the range of float32


class Standardizer:
    """Standardizes the columns of a table, also those of very large or very small values.

    NaN are ignored in the statistics, and stay NaN. Constant columns are only centered.
    """

    def fit(self, columns: np.ndarray) -> Self:
        """Learn the statistics of the columns (n, d), float64."""
        from sklearn.preprocessing import StandardScaler

        low, high = np.fmin.reduce(columns, axis=0), np.fmax.reduce(columns, axis=0)
        extreme = extreme_columns(low, high)
        self._offset = np.where(extreme, low, 0.0)
        self._exponent = np.where(extreme, np.frexp(high / 2 - low / 2)[1], 0)
        self._scaler = StandardScaler().fit(self._near_zero(columns))
        return self

    def transform(self, columns: np.ndarray) -> np.ndarray:
        """Return standardized columns (n, d), float64.

        Raises
        ------
        DatasetError
            If a value is too many standard deviations away from the mean for float32.
        """
        with np.errstate(over="ignore"):
            scaled: np.ndarray = self._scaler.transform(self._near_zero(columns))
        too_large = np.argwhere(np.abs(scaled) > _LARGEST)
        if len(too_large):
            row, column = too_large[0]
            raise DatasetError(
                f"column {column} holds the value {columns[row, column]:.3g}, which is too far from the training rows "
                "for float32 numbers: replace the value, or drop its row."
            )
        return scaled

    def _near_zero(self, columns: np.ndarray) -> np.ndarray:
        """Measure extreme columns from their lowest values, scaled by powers of two."""
        if not (self._offset.any() or self._exponent.any()):
            return columns
        return np.asarray(np.ldexp(columns, -self._exponent) - np.ldexp(self._offset, -self._exponent))


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

    Raises
    ------
    DatasetError
        If a test value is too far from the training rows for float32.
    """

    def as_columns(X: np.ndarray) -> np.ndarray:
        return np.moveaxis(X, 1, -1).reshape(-1, X.shape[1]).astype(np.float64)

    def to_shape_of(columns: np.ndarray, X: np.ndarray) -> np.ndarray:
        shape = (X.shape[0], *X.shape[2:], X.shape[1])
        return np.ascontiguousarray(np.moveaxis(columns.reshape(shape), -1, 1), dtype=np.float32)

    columns = as_columns(train)
    scaler = Standardizer().fit(columns)
    return to_shape_of(scaler.transform(columns), train), to_shape_of(scaler.transform(as_columns(test)), test)
