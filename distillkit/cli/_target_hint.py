"""Says of a table that was distilled without a target which column may be one."""

from __future__ import annotations

from typing import Any

__all__ = ["describe_missing_target"]

_NAMES = ("target", "label", "labels", "class", "classes", "y", "outcome", "response", "category")
_MANY_LABELS = 20


def describe_missing_target(frame: Any) -> str:
    """Return a sentence that says that there is no target, and how to name one.

    Parameters
    ----------
    frame : DataFrame
    """
    column = _likely_target(frame)
    if column is None:
        return "none, all columns are features; --target COLUMN names one"
    return f"none, all columns are features; --target {column!r} if that column is the target"


def _likely_target(frame: Any) -> str | None:
    """Return a column by a usual name, or else the last one if it looks like labels."""
    by_name = {str(name).strip().lower(): str(name) for name in reversed(frame.columns)}
    for name in _NAMES:
        if name in by_name:
            return by_name[name]
    last = frame.iloc[:, -1]
    n_different = last.nunique()
    looks_like_labels = last.dtype.kind != "f" and 2 <= n_different <= min(_MANY_LABELS, len(last) // 2)
    return str(frame.columns[-1]) if looks_like_labels else None
