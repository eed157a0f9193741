"""Plots of the history of a fit: losses and other series against the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError, UnknownNameError
from distillkit.plotting._axes import check_axes, figure_of
from distillkit.plotting._history_data import axis_label, clean_history, column, has_numbers, series_names, x_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_history"]

_DOTS = 40  # number of steps below which each step gets a marker, so that a single one is visible


def plot_history(
    fitted: Any,
    ax: Any = None,
    *,
    keys: str | Sequence[str] | None = None,
    x: str | None = None,
    label: str | None = None,
) -> Figure:
    """Plot the history of a fit: losses, similarities or accuracies against the steps.

    Parameters
    ----------
    fitted : estimator, DistilledSet or list of dict
        A fitted estimator with a `history_` (distillers, networks, the student of a teacher), a set
        with ``provenance["history"]``, or the history itself, for example from the record of a
        benchmark.
    ax : Axes, sequence of Axes or None
        Axes to draw on: one for all series, or one for each. None creates a figure with one below
        the other.
    keys : str, sequence of str or None
        Series to plot. None takes all numeric series except steps, seconds and sizes.
    x : str or None
        Key of the horizontal axis, such as "seconds". None takes the steps (iteration, iter, step,
        update, round or epoch) if every entry has them, otherwise the seconds, otherwise the number
        of the entry.
    label : str or None
        Name of this fit in a legend, for several fits on the same axes.

    Returns
    -------
    Figure
        The figure of the axes. Entries without a finite number are gaps in the lines.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    DataError
        If there is no history, it is empty, has no numbers under a key, or `ax` does not fit the
        number of series.
    UnknownNameError
        If no entry has the key.

    Examples
    --------
    >>> from distillkit import plot_history
    >>> history = [{"iteration": 10, "loss": 3.0}, {"iteration": 20, "loss": 2.5}]
    >>> plot_history(history).axes[0].get_ylabel()
    'loss'
    """
    steps = _steps_of(fitted)
    names = _series_to_plot(steps, keys)
    x_name, x_values = x_axis(steps) if x is None else (x, _numbers(steps, x, "x"))
    axes = _new_axes(len(names), _name_of(fitted)) if ax is None else check_axes(ax, len(names))
    shared = len(names) > 1 and len({id(axis) for axis in axes}) == 1
    for name, axis in zip(names, axes, strict=True):
        line_label = " ".join(filter(None, (label, axis_label(name)))) if shared else label
        marker = "." if len(x_values) < _DOTS else ""
        axis.plot(_as_floats(x_values), _as_floats(column(steps, name)), marker=marker, linewidth=1.3, label=line_label)
        axis.set_ylabel("" if shared else axis_label(name))
        if line_label:
            axis.legend()
    axes[-1].set_xlabel(axis_label(x_name))
    return figure_of(axes[0])


def _as_floats(values: Sequence[float | None]) -> np.ndarray:
    """Return the values as floats; None becomes NaN, which is drawn as a gap."""
    return np.array(values, dtype=float)


def _name_of(fitted: Any) -> str:
    """Return the title of a new figure: the class of the estimator."""
    return "" if isinstance(fitted, list | tuple | DistilledSet) else type(fitted).__name__


def _steps_of(fitted: Any) -> list[dict[str, Any]]:
    """Return the history as cleaned entries, or raise an error if there is none."""
    name = type(fitted).__name__
    if isinstance(fitted, DistilledSet):
        history, place = fitted.provenance.get("history"), "provenance['history'] of this DistilledSet"
        remedy = "give the fitted distiller, or keep its history_ there before saving"
    elif isinstance(fitted, list | tuple):
        history, place, remedy = fitted, f"the {name} given", "give the history_ of a fitted estimator"
    else:
        if isinstance(fitted, BaseEstimator):
            check_is_fitted(fitted)
        history, place = getattr(fitted, "history_", None), f"history_ of {name}"
        remedy = "give a fitted estimator that records its steps, such as the distiller inside a pipeline"
    if history is None:
        raise DataError(f"there is no {place}: {remedy}.")
    if not isinstance(history, list | tuple) or not all(isinstance(step, Mapping) for step in history):
        raise DataError(f"{place} is not a list of dicts, one per step: {remedy}.")
    if not history:
        raise DataError(f"{place} is empty, because no step was recorded: there is nothing to plot.")
    return clean_history(history)


def _series_to_plot(steps: list[dict[str, Any]], keys: str | Sequence[str] | None) -> list[str]:
    """Return the keys of the series to plot, after checking that they have numbers."""
    if keys is None:
        if names := series_names(steps):
            return names
        raise DataError(f"the history has no series to plot: its keys are {sorted({key for s in steps for key in s})}.")
    chosen = [keys] if isinstance(keys, str) else list(keys)
    if not chosen:
        raise DataError("keys is empty: name at least one series, or leave it out to draw all.")
    for key in chosen:
        _numbers(steps, key, "keys")
    return chosen


def _numbers(steps: list[dict[str, Any]], key: str, parameter: str) -> list[float | None]:
    """Return the values of a key, or raise an error that names the parameter."""
    known = {name for step in steps for name in step}
    numeric = sorted(name for name in known if has_numbers(steps, name))
    if key not in known:
        raise UnknownNameError("key of the history", key, numeric)
    if key not in numeric:
        raise DataError(f"{parameter}={key!r} holds no numbers; with numbers: {', '.join(numeric) or 'none'}.")
    return column(steps, key)


def _new_axes(n: int, title: str) -> list[Axes]:
    """Create a figure with `n` axes, one below the other."""
    from matplotlib import pyplot as plt

    size = (6.4, 1.2 + 2.0 * n)
    figure, grid = plt.subplots(n, 1, sharex=True, squeeze=False, figsize=size, layout="constrained")
    figure.suptitle(title)
    return list(grid[:, 0])
