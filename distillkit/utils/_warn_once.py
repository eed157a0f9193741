"""Warnings about the data, which a search or a cross-validation would repeat for every fit."""

from __future__ import annotations

import warnings

from distillkit.exceptions import DistillkitWarning

__all__ = ["warn_once"]

_given: set[str] = set()


def warn_once(message: str, stacklevel: int = 2) -> None:
    """Give a `DistillkitWarning`, once in a process unless the filters ask for every one.

    Python's own filters show a warning once for each place, too, but forget what they have shown
    whenever a filter changes, as it does in every fit that scikit-learn runs by joblib.

    Parameters
    ----------
    message : str
    stacklevel : int
        As in `warnings.warn`, counted from the caller.
    """
    if _action(message) in ("default", "module", "once"):
        if message in _given:
            return
        _given.add(message)
    warnings.warn(message, DistillkitWarning, stacklevel=stacklevel + 1)


def _action(message: str) -> str:
    """Return what the filters do with a warning, whatever module it comes from."""
    for action, pattern, category, module, line in warnings.filters:
        # Filters that Python makes at its start have their patterns as text.
        matches = pattern is None or (not isinstance(pattern, str) and pattern.match(message))
        if matches and module is None and not line and issubclass(DistillkitWarning, category):
            return action
    return "default"
