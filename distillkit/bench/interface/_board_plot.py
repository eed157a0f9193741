"""Plots of a leaderboard with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.bench.leaderboard import Panel
from distillkit.bench.reporters import _format as fmt
from distillkit.exceptions import DataError
from distillkit.plotting._axes import check_axes, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_panels"]

_MOST_COLORED = 8


def plot_panels(panels: Sequence[Panel], ax: Any, dataset: str | None, evaluator: str | None) -> Any:
    """Draw panels of a leaderboard; see `distillkit.Leaderboard.plot`."""
    chosen = [panel for panel in panels if dataset in (None, panel.dataset) and evaluator in (None, panel.evaluator)]
    if not chosen:
        known = ", ".join(f"{panel.dataset} with {panel.evaluator}" for panel in panels) or "none"
        raise DataError(f"dataset={dataset!r}, evaluator={evaluator!r} is not on this leaderboard: it has {known}.")
    axes = _new_axes(chosen) if ax is None else check_axes(ax, len(chosen))
    for panel, each in zip(chosen, axes, strict=True):
        _draw(panel, each)
        figure_of(each)
    return axes[0] if len(axes) == 1 else np.array(axes, dtype=object)


def _new_axes(panels: Sequence[Panel]) -> list[Axes]:
    from matplotlib import pyplot as plt

    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    longest = max(len(panel.methods) + len(panel.references) for panel in panels)
    height = max(3.2, 0.28 * longest + 1.2)
    _, axes = plt.subplots(rows, columns, figsize=(5.6 * columns, height * rows), layout="constrained", squeeze=False)
    for spare in axes.ravel()[len(panels) :]:
        spare.remove()
    return list(axes.ravel()[: len(panels)])


def _draw(panel: Panel, ax: Axes) -> None:
    if len(panel.budgets) > 1:
        _draw_lines(panel, ax)
    else:
        _draw_dots(panel, ax)
    ax.set_title(panel.title)
    ax.spines[["top", "right"]].set_visible(False)


def _draw_lines(panel: Panel, ax: Axes) -> None:
    """Draw a line for each method over the budgets; those beyond the best ones are gray."""
    places = np.arange(len(panel.budgets))
    for number, method in enumerate(panel.methods):
        entries = [_measured(panel, method, budget) for budget in panel.budgets]
        shown = [(place, entry) for place, entry in zip(places, entries, strict=True) if entry is not None]
        if not shown:
            continue
        offset = 0.03 * (number - (len(panel.methods) - 1) / 2)  # so that intervals do not hide each other
        color = f"C{number}" if number < _MOST_COLORED else "0.7"
        means = [entry["mean"] for _, entry in shown]
        ax.errorbar(
            [place + offset for place, _ in shown],
            means,
            yerr=_errors([entry for _, entry in shown]),
            label=method,
            color=color,
            marker="o",
            markersize=4,
            capsize=2,
        )
    for number, method in enumerate(panel.references):
        entry = _measured(panel, method, "-")
        if entry is not None:
            ax.axhline(entry["mean"], color="0.4", linestyle=("--", ":", "-.")[number % 3], label=method)
    ax.set_xticks(places, [fmt.budget_title(panel, budget) for budget in panel.budgets])
    ax.set(xlabel="budget", ylabel=panel.metric)
    ax.legend(fontsize="small", frameon=False)


def _draw_dots(panel: Panel, ax: Axes) -> None:
    """Draw a point for each method, the best one on top."""
    budget = panel.budgets[0] if panel.budgets else "-"
    found = [(name, _measured(panel, name, budget)) for name in (*panel.methods, *panel.references)]
    shown = [(name, entry) for name, entry in found if entry is not None]
    shown.sort(key=lambda pair: pair[1]["mean"], reverse=not panel.greater_is_better)
    for place, (name, entry) in enumerate(shown):
        color = "0.4" if name in panel.references else "C0"
        ax.errorbar(entry["mean"], place, xerr=_errors([entry]), color=color, marker="o", markersize=5, capsize=2)
    ax.set_yticks(range(len(shown)), [name for name, _ in shown])
    size = "" if budget == "-" else f", {fmt.budget_title(panel, budget)}"
    ax.set(xlabel=f"{panel.metric}{size}")
    ax.grid(axis="x", alpha=0.3)


def _measured(panel: Panel, method: str, budget: str) -> dict[str, Any] | None:
    """Return the entry of a method if it has a mean."""
    entry = panel.get(method, budget)
    return None if entry is None or entry["mean"] is None else entry


def _errors(entries: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Return the lengths of the intervals below and above the means; 0 where there is none."""
    low = [0.0 if entry["ci_low"] is None else entry["mean"] - entry["ci_low"] for entry in entries]
    high = [0.0 if entry["ci_high"] is None else entry["ci_high"] - entry["mean"] for entry in entries]
    return [low, high]
