"""Validation of the axes given by a user, and access to their figure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_axes", "figure_of"]


def check_axes(ax: Any, n: int) -> list[Axes]:
    """Return one Axes for each of `n` plots: a single one for all of them, or a sequence of `n`.

    Raises
    ------
    DataError
        If `ax` is neither.
    """
    if hasattr(ax, "plot"):
        return [ax] * n
    axes = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(axes) != n or not all(hasattr(one, "plot") for one in axes):
        sequence = f", or a sequence of {n}, one for each series" if n > 1 else ""
        got = f"{len(axes)} of type {type(axes[0]).__name__}" if axes else "none"
        raise DataError(f"ax must be a matplotlib Axes{sequence}; got {got}.")
    return axes


def figure_of(ax: Axes) -> Figure:
    """Return the top-level figure of the axes, which a notebook shows once.

    Notebooks show a figure as the value of a cell, and pyplot shows it once more at the end of the
    cell, unless it has been closed by then.
    """
    figure: Figure = ax.figure.figure  # the figure of a subfigure
    figure.__dict__["_ipython_display_"] = partial(_close_and_decline, figure)
    return figure


def _close_and_decline(figure: Figure) -> None:
    """Close a figure that a notebook is about to show, and leave it to IPython to show it."""
    from matplotlib import get_backend
    from matplotlib import pyplot as plt

    if "inline" in get_backend().lower():  # others show a window, which stays open
        plt.close(figure)
    raise NotImplementedError  # by which IPython takes the format that the user has chosen
