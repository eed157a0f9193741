"""Standardized rows and targets, as the proxy models of coresets take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from distillkit.utils._moments import column_means, mean_and_deviation

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["standardized_rows", "standardized_target"]

_BLOCK = 4096


def standardized_rows(rows: TrainingRows) -> np.ndarray:
    """Return the rows flattened, with mean 0 and standard deviation 1, in the dtype of X.

    Each column of a table is standardized by itself. Images and series are standardized by one mean
    and one deviation for all values, because their values share a unit. Constant columns are only
    centered.

    Returns
    -------
    ndarray of shape (n, d)
    """
    flat = rows.flat
    if rows.X.ndim == 2:
        mean = column_means(flat)
        deviation = _deviations(flat, mean)
    else:
        mean, deviation = map(np.array, mean_and_deviation(flat))
    scaled = np.empty(flat.shape, dtype=flat.dtype)
    for start in range(0, len(flat), _BLOCK):  # by block: float64 copies take memory
        scaled[start : start + _BLOCK] = (flat[start : start + _BLOCK] - mean) / deviation
    return scaled


def standardized_target(y: np.ndarray) -> np.ndarray:
    """Return a continuous target with mean 0 and standard deviation 1, float64 of shape (n,)."""
    mean, deviation = mean_and_deviation(y)
    return np.asarray((y.astype(np.float64) - mean) / deviation)


def _deviations(flat: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each column, 1 where it is 0, in blocks of rows."""
    square = np.zeros(flat.shape[1])
    for start in range(0, len(flat), _BLOCK):
        difference = flat[start : start + _BLOCK] - mean
        square += np.einsum("ij,ij->j", difference, difference)
    # The computed deviation of a constant column may not be exactly 0; a small one may underflow.
    constant = (square == 0) | (flat.max(axis=0) == flat.min(axis=0))
    return np.asarray(np.where(constant, 1.0, np.sqrt(square / len(flat))))
