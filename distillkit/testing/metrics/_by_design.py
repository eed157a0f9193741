"""Checks that built-in metrics fail by design, with the reasons."""

from __future__ import annotations

__all__ = ["BY_DESIGN"]

_MEAN_OVER_ROWS = "the mean over the rows counts a row of large weight once, and its copies several times"
_RELATIVE_WEIGHTS = "the model is regularized by the number of rows, and copies raise this while weights do not"

BY_DESIGN: dict[str, dict[str, str]] = {
    "influence": {"check_weights": _MEAN_OVER_ROWS},
    "meta-loss": {"check_weights": _RELATIVE_WEIGHTS},
}
"""Names of registered metrics, of their checks, and reasons."""
