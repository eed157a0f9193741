"""Rows as the proxies see them: flat, and without units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["standardized_rows", "standardized_target"]

_BLOCK = 4096


def standardized_rows(rows: TrainingRows) -> np.ndarray:
    """Return the rows flat, with mean 0 and spread 1, in the dtype of X.

    Columns of a table are standardized each by itself; images and series by one mean and one spread for all values,
    as their values share a unit. Constant columns are only centred.

    Returns
    -------
    ndarray of shape (n, d)
    """
    flat = rows.flat
    if rows.X.ndim == 2:
        mean, square = _moments(flat)
        constant = flat.max(axis=0) == flat.min(axis=0)  # their computed spread is rounding noise, not always 0
        spread = np.where(constant, 1.0, np.sqrt(square))
    else:
        mean = np.array(flat.mean(dtype=np.float64))
        spread = np.array(1.0 if flat.max() == flat.min() else flat.std(dtype=np.float64))
    # a spread that underflows to nothing must not divide by it
    spread = np.where(spread > 0, spread, 1.0)
    scaled = np.empty(flat.shape, dtype=flat.dtype)
    for start in range(0, len(flat), _BLOCK):  # in float64, of which a copy of all rows would need much memory
        scaled[start : start + _BLOCK] = (flat[start : start + _BLOCK] - mean) / spread
    return scaled


def standardized_target(y: np.ndarray) -> np.ndarray:
    """Return a continuous target with mean 0 and spread 1, float64 of shape (n,)."""
    centred = y.astype(np.float64) - y.mean(dtype=np.float64)
    return centred if np.ptp(y) == 0 else np.asarray(centred / centred.std())


def _moments(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each column, in two passes of blocks."""
    mean = flat.mean(axis=0, dtype=np.float64)
    square = np.zeros(flat.shape[1])
    for start in range(0, len(flat), _BLOCK):
        difference = flat[start : start + _BLOCK] - mean
        square += np.einsum("ij,ij->j", difference, difference)
    return mean, square / len(flat)
