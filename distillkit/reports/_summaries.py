"""Means, quantiles, histograms and levels of a column on both sides."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.reports._values import LabelPair, NumberPair

__all__ = ["label_figures", "number_figures", "weighted_quantiles"]

_QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
_BINS = 20
_SHOWN_LEVELS = 10
_KEPT_LEVELS = 50


def number_figures(pair: NumberPair, weight: np.ndarray) -> dict[str, Any]:
    """Return the figures of numbers or dates as fields of `ColumnReport`."""
    sides = {"real": (pair.real, np.ones(len(pair.real))), "small": (pair.small, weight)}
    figures: dict[str, Any] = {}
    present = {side: _present(*values) for side, values in sides.items()}
    for side, (numbers, of_rows) in present.items():
        if len(numbers):
            mean = float(np.average(numbers, weights=of_rows))
            figures[f"mean_{side}"] = mean
            figures[f"sd_{side}"] = float(np.sqrt(np.average(np.square(numbers - mean), weights=of_rows)))
            figures[f"quantiles_{side}"] = weighted_quantiles(numbers, of_rows)
    if len(present["real"][0]):
        edges = _edges(present["real"][0], present["small"][0], is_whole=pair.is_whole and pair.kind == "number")
        figures["bins"] = (tuple(edges.tolist()), *(_shares(*present[side], edges) for side in ("real", "small")))
    return figures


def weighted_quantiles(numbers: np.ndarray, weight: np.ndarray) -> tuple[float, ...]:
    """Return the least numbers at or below which certain shares of the weight lie.

    Parameters
    ----------
    numbers, weight : ndarray of shape (n,)

    Returns
    -------
    tuple of 5 float
        For the shares 0, 1/4, 1/2, 3/4 and 1.
    """
    order = np.argsort(numbers, kind="stable")
    reached = np.cumsum(weight[order])
    # Sums of weights are rounded, so that a share may be missed by the last digits.
    places = np.searchsorted(reached, np.array(_QUANTILES) * reached[-1] * (1 - 1e-12))
    return tuple(numbers[order][np.minimum(places, len(numbers) - 1)].tolist())


def label_figures(pair: LabelPair, weight: np.ndarray) -> dict[str, Any]:
    """Return the figures of labels as fields of `ColumnReport`."""
    n_levels, n_rows = len(pair.levels), len(pair.real)
    real = np.bincount(pair.real[pair.real >= 0], minlength=n_levels) / n_rows
    kept = pair.small >= 0
    small = np.bincount(pair.small[kept], weight[kept], minlength=n_levels) / weight.sum()
    has_level = np.bincount(pair.small[kept], minlength=n_levels) > 0
    lost = np.flatnonzero(~has_level[: pair.n_known])
    shown = np.arange(min(n_levels, _SHOWN_LEVELS))
    return {
        "levels_real": pair.n_known,
        "levels_small": int(has_level.sum()),
        "levels_lost": len(lost),
        "levels_lost_expected": float(np.sum((1 - real[: pair.n_known]) ** len(pair.small))),
        "share_lost": float(real[lost].sum()),
        "levels_new": n_levels - pair.n_known,
        "levels": tuple((pair.levels[place], float(real[place]), float(small[place])) for place in shown.tolist()),
        "lost": tuple(pair.levels[place] for place in lost[:_KEPT_LEVELS].tolist()),
        "new": pair.levels[pair.n_known :][:_KEPT_LEVELS],
    }


def _present(numbers: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    is_present = ~np.isnan(numbers) & (weight > 0)
    return numbers[is_present], weight[is_present]


def _edges(real: np.ndarray, small: np.ndarray, *, is_whole: bool) -> np.ndarray:
    """Return the edges of bins that hold all numbers; few whole numbers have a bin each."""
    both = np.concatenate([real, small])
    low, high = float(both.min()), float(both.max())
    if is_whole and high - low < _BINS:
        return np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    if low == high:
        spread = abs(low) / 2 or 0.5
        return np.array([low - spread, low + spread])
    return np.linspace(low, high, _BINS + 1)


def _shares(numbers: np.ndarray, weight: np.ndarray, edges: np.ndarray) -> tuple[float, ...]:
    if not len(numbers):
        return (0.0,) * (len(edges) - 1)
    return tuple((np.histogram(numbers, edges, weights=weight)[0] / weight.sum()).tolist())
