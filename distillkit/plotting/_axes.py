"""Where pictures are drawn: on the axes that were given, or on new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_axes", "figure_of"]


def check_axes(ax: Any, n: int) -> list[Axes]:
    """Return the axes for each of `n` things to draw: one given for all of them, or as many as there are.

    Raises
    ------
    DataError
        If `ax` is neither.
    """
    if hasattr(ax, "plot"):
        return [ax] * n
    axes = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(axes) != n or not all(hasattr(one, "plot") for one in axes):
        several = f", or a sequence of {n}, one for each series" if n > 1 else ""
        got = f"{len(axes)} of type {type(axes[0]).__name__}" if axes else "none"
        raise DataError(f"ax must be a matplotlib Axes{several}; got {got}.")
    return axes


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure that axes belong to."""
    return ax.figure.figure  # of a part of a figure, the whole
