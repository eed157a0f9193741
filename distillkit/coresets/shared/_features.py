"""Standardized rows and targets, as the proxy models of coresets take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
        mean, variance = _moments(flat)
        constant = flat.max(axis=0) == flat.min(axis=0)  # their deviation may not be exactly 0
        deviation = np.where(constant, 1.0, np.sqrt(variance))
    else:
        mean = np.array(flat.mean(dtype=np.float64))
        deviation = np.array(1.0 if flat.max() == flat.min() else flat.std(dtype=np.float64))
    # A deviation that underflows to 0 must not be divided by.
    deviation = np.where(deviation > 0, deviation, 1.0)
    scaled = np.empty(flat.shape, dtype=flat.dtype)
    for start in range(0, len(flat), _BLOCK):  # by block: float64 copies take memory
        scaled[start : start + _BLOCK] = (flat[start : start + _BLOCK] - mean) / deviation
    return scaled


def standardized_target(y: np.ndarray) -> np.ndarray:
    """Return a continuous target with mean 0 and standard deviation 1, float64 of shape (n,)."""
    centered = y.astype(np.float64) - y.mean(dtype=np.float64)
    return centered if np.ptp(y) == 0 else np.asarray(centered / centered.std())


def _moments(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the variance of each column, computed in two passes of blocks."""
    mean = flat.mean(axis=0, dtype=np.float64)
    square = np.zeros(flat.shape[1])
    for start in range(0, len(flat), _BLOCK):
        difference = flat[start : start + _BLOCK] - mean
        square += np.einsum("ij,ij->j", difference, difference)
    return mean, square / len(flat)
