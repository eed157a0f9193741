"""Pictures with matplotlib: the loss curves of a fit, and the distilled rows themselves.

matplotlib is imported when something is drawn, so that scripts that draw nothing do not wait for it.
"""

from __future__ import annotations

from distillkit.plotting._history import plot_history
from distillkit.plotting._rows import plot_rows

__all__ = ["plot_history", "plot_rows"]
