"""The scales of columns by which distances between rows are measured."""

from __future__ import annotations

import numpy as np

from distillkit.utils._moments import mean_and_deviation

__all__ = ["column_scales"]


def column_scales(X: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return the standard deviation of each column of X (n, d), 1 for constant columns."""
    if weight is None and float(np.abs(X).max(initial=0.0)) < 1e100:
        scales = X.std(axis=0, dtype=np.float64)
    else:
        scales = np.array([mean_and_deviation(column, weight)[1] for column in X.T])
    spread = X.max(axis=0) - X.min(axis=0)
    positive: np.ndarray = np.where((spread > 0) & (scales > 0) & np.isfinite(scales), scales, 1.0)
    return positive
