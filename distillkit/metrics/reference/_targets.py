"""Standardization of a continuous target by the training target."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.distances._samples import as_floats
from distillkit.exceptions import DataError

__all__ = ["standardized_target"]


def standardized_target(training: Any, y: Any) -> np.ndarray:
    """Standardize a target by the mean and standard deviation of the training target.

    Parameters
    ----------
    training : array-like of shape (n,)
        Target of the training rows.
    y : array-like of shape (m,)
        Target to standardize.

    Returns
    -------
    ndarray of shape (m,)
        In float64. The differences from a training target of equal values are not scaled.

    Raises
    ------
    DataError
        If a target holds NaN or infinite values.
    """
    training, y = (np.asarray(as_floats(values, "y"), dtype=np.float64) for values in (training, y))
    if not (np.isfinite(training).all() and np.isfinite(y).all()):
        raise DataError("the targets hold NaN or infinite values: drop or fill these rows.")
    lowest, highest = training.min(), training.max()
    if lowest == highest:  # the standard deviation of equal values may be a rounding error above 0
        return np.asarray(y - lowest)
    # Scale by a power of two, which is exact, so that no square can overflow or underflow.
    exponent = -int(np.frexp(highest / 2 - lowest / 2)[1])
    training, y = np.ldexp(training, exponent), np.ldexp(y, exponent)
    mean = training[0] + np.mean(training - training[0])
    return np.asarray((y - mean) / np.std(training - mean))
