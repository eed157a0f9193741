"""Validation of the axes given by a user, and access to their figure."""

from __future__ import annotations

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
    """Return the top-level figure of the axes."""
    return ax.figure.figure  # the figure of a subfigure
