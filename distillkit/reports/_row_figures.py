"""Figures of each image or series, which stand in for the columns of a table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from distillkit.metrics.series._series_metrics import autocorrelations, periodograms

__all__ = ["row_figures"]

_SHORTEST = 3
_BLOCK = 4_000_000


def row_figures(X: np.ndarray) -> pd.DataFrame:
    """Return figures of each row and channel, since single pixels and moments say little.

    Parameters
    ----------
    X : ndarray of shape (n, channels, time) or (n, channels, height, width)

    Returns
    -------
    DataFrame of n rows
        With the mean and the standard deviation of each channel. Series of at least three steps
        have two more: the autocorrelation at lag 1, in [-1, 1], and the mean frequency, weighted by
        the power, in cycles per step, in [0, 0.5]. Both are 0 for constant channels.
    """
    step = max(1, _BLOCK // max(1, int(np.prod(X.shape[1:]))))
    parts = [_figures(np.asarray(X[start : start + step], dtype=np.float64)) for start in range(0, len(X), step)]
    names = [name for name, _ in parts[0]]
    return pd.DataFrame({name: np.concatenate([part[place][1] for part in parts]) for place, name in enumerate(names)})


def _figures(X: np.ndarray) -> list[tuple[str, np.ndarray]]:
    flat = X.reshape(*X.shape[:2], -1)
    figures = {"mean": flat.mean(axis=2), "standard deviation": flat.std(axis=2)}
    if X.ndim == 3 and X.shape[2] >= _SHORTEST:
        figures["autocorrelation at lag 1"] = autocorrelations(X, 1)[..., 0]
        figures["mean frequency"] = _mean_frequency(X)
    channels = range(flat.shape[1])
    return [
        (f"{name} of channel {channel}" if len(channels) > 1 else f"{name} of a row", values[:, channel])
        for channel in channels
        for name, values in figures.items()
    ]


def _mean_frequency(X: np.ndarray) -> np.ndarray:
    power = periodograms(X)
    frequency = np.arange(1, power.shape[2] + 1) / X.shape[2]
    total = power.sum(axis=2)
    return np.asarray(np.divide(power @ frequency, total, out=np.zeros_like(total), where=total > 0))
