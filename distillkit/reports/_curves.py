"""Autocorrelation and spectrum of the series of both sides, beside those of random rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distillkit.metrics.series._series_metrics import autocorrelations, periodograms
from distillkit.reports._compared_rows import ComparedRows

__all__ = ["Curve", "curves_of"]

_LARGEST_LAG = 50
_SHORTEST = 3
_BLOCK = 4_000_000
_WIDTH = 2.0  # standard deviations
_SHOWN_SHARE, _FEWEST = 0.99, 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """A figure of series along one axis, on both sides.

    Parameters
    ----------
    name, axis : str
        What is shown, and along what.
    x, real, small : ndarray of shape (k,)
        Means over the rows, which count by their weights, and over the channels. Frequencies are
        shown up to the one that reaches 99 % of the variance on both sides, and at least ten.
    low, high : ndarray of shape (k,) or None
        Mean of the same figure for sets of random real rows, minus and plus two standard
        deviations.
    """

    name: str
    axis: str
    x: np.ndarray
    real: np.ndarray
    small: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def curves_of(compared: ComparedRows, draws: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Curve, ...]:
    """Return the autocorrelation by lag and the share of the variance by frequency.

    There are none for series of fewer than three steps.
    """
    real, small = (np.asarray(rows.X, dtype=np.float64) for rows in (compared.real, compared.small))
    length = real.shape[2]
    if length < _SHORTEST:
        return ()
    n_lags = min(_LARGEST_LAG, length // 2)
    weight = np.asarray(compared.distilled.sample_weight, dtype=np.float64)
    kinds = (
        ("autocorrelation", "lag in steps", np.arange(1, n_lags + 1), lambda X: autocorrelations(X, n_lags)),
        ("share of the variance", "cycles per series", np.arange(1, length // 2 + 1), _shares),
    )
    curves = []
    for name, axis, x, function in kinds:
        figures = _by_row(real, function)
        lines = [figures.mean(axis=0), np.average(_by_row(small, function), axis=0, weights=weight)]
        lines += _band(figures, draws)
        if function is _shares:  # high frequencies without power would take the place of the others
            reached = [np.searchsorted(np.cumsum(line), _SHOWN_SHARE * line.sum()) + 1 for line in lines[:2]]
            stop = max(_FEWEST, *reached)
            lines = [np.maximum(line[:stop], 0) for line in lines]
        sides = dict(zip(("real", "small", "low", "high"), lines, strict=False))
        curves.append(Curve(name=name, axis=axis, x=x[: len(lines[0])], **sides))
    return tuple(curves)


def _shares(series: np.ndarray) -> np.ndarray:
    """Return the power at each frequency as a share of that of all; 0 for constant channels."""
    power = periodograms(series)
    total = power.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(power, total, out=np.zeros_like(power), where=total > 0))


def _by_row(series: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    step = max(1, _BLOCK // max(1, series[0].size))
    parts = [function(series[start : start + step]).mean(axis=1) for start in range(0, len(series), step)]
    return np.concatenate(parts)


def _band(figures: np.ndarray, draws: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """Return the lower and the upper end of the band of random rows; nothing without draws."""
    if len(draws) < 2:
        return []
    means = np.array([np.average(figures[rows], axis=0, weights=weight) for rows, weight in draws])
    center, spread = means.mean(axis=0), _WIDTH * means.std(axis=0, ddof=1)
    return [center - spread, center + spread]
