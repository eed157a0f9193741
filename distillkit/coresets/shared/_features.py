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
    centered. Means and deviations are weighted if the rows have weights.

    Returns
    -------
    ndarray of shape (n, d)
    """
    flat, weight = rows.flat, rows.weight
    if rows.X.ndim == 2:
        mean = column_means(flat, weight)
        deviation = _deviations(flat, mean, weight)
    else:
        mean, deviation = map(np.array, mean_and_deviation(flat, weight))
    scaled = np.empty(flat.shape, dtype=flat.dtype)
    for start in range(0, len(flat), _BLOCK):  # by block: float64 copies take memory
        scaled[start : start + _BLOCK] = (flat[start : start + _BLOCK] - mean) / deviation
    return scaled


def standardized_target(y: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return a continuous target with (weighted) mean 0 and deviation 1, float64 of shape (n,)."""
    mean, deviation = mean_and_deviation(y, weight)
    return np.asarray((y.astype(np.float64) - mean) / deviation)


def _deviations(flat: np.ndarray, mean: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the (weighted) deviation of each column, 1 where it is 0, in blocks of rows."""
    square = np.zeros(flat.shape[1])
    for start in range(0, len(flat), _BLOCK):
        difference = flat[start : start + _BLOCK] - mean
        weighted = difference if weight is None else difference * weight[start : start + _BLOCK, None]
        square += np.einsum("ij,ij->j", weighted, difference)
    # The computed deviation of a constant column may not be exactly 0; a small one may underflow.
    constant = (square == 0) | (flat.max(axis=0) == flat.min(axis=0))
    total = len(flat) if weight is None else float(weight.sum())
    return np.asarray(np.where(constant, 1.0, np.sqrt(square / total)))
