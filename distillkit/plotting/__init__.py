"""Plots with matplotlib: the history of a fit, and distilled images or series.

matplotlib is imported only when something is plotted, so that other scripts start quickly.
"""

from __future__ import annotations

from distillkit.plotting._history import plot_history
from distillkit.plotting._rows import plot_rows

__all__ = ["plot_history", "plot_rows"]
