"""Histories as data: JSON-able, of limited length, and divided into steps and series."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

__all__ = [
    "STEP_KEYS",
    "axis_label",
    "clean_history",
    "column",
    "has_numbers",
    "is_time_series",
    "series_names",
    "stored_history",
    "thinned",
    "x_axis",
]

STEP_KEYS = ("iteration", "iter", "step", "update", "round", "epoch")
"""Keys under which methods count their steps."""

MAX_STEPS = 200
"""Largest number of entries of a stored history."""

MAX_TEXT = 200
"""Largest number of characters of a text in a stored history."""

_GROUP = "label"  # key of the class, in the entries of methods that process one class after the other
_BOOKKEEPING = frozenset({*STEP_KEYS, "seconds", _GROUP, "rows", "size", "n_iter"})

Step = dict[str, Any]


def stored_history(estimator: Any, path: str = "history_", most: int = MAX_STEPS) -> list[Step]:
    """Return the history of a fitted estimator in the form in which it is stored.

    Parameters
    ----------
    estimator : estimator
    path : str
        Name of the attribute with the history, with dots for nested attributes. Anything but a list
        of dicts (a mistake of a plugin) counts as an empty history.
    most : int
        Largest number of entries, which are evenly spread and include the first and the last.

    Returns
    -------
    list of dict
        See `clean_history`; empty if there is no history.
    """
    try:
        history = attrgetter(path)(estimator)
        return clean_history(thinned(history, most)) if isinstance(history, list | tuple) else []
    except Exception:  # a history that cannot be read must not lose the distilled set
        return []


def thinned(items: Sequence[Any], most: int) -> Sequence[Any]:
    """Return at most `most` (two or more) items, evenly spread, with the first and the last."""
    n = len(items)
    return items if n <= most else [items[i * (n - 1) // (most - 1)] for i in range(most)]


def clean_history(history: Sequence[Any]) -> list[Step]:
    """Return the entries that are mappings, with their numbers and texts as JSON-able values.

    Arrays and other objects are left out, because an image per step would be much larger than all
    other values. Numbers that are not finite become None.
    """
    return [
        {_text(str(key)): scalar for key, value in step.items() if (scalar := _scalar(value)) is not ...}
        for step in history
        if isinstance(step, Mapping)
    ]


def _scalar(value: Any) -> Any:
    """Return a number, text, bool or None as a plain value; an ellipsis for anything else."""
    if not isinstance(value, str | float) and callable(getattr(value, "item", None)):  # scalars of NumPy and torch
        value = value.item() if math.prod(getattr(value, "shape", (0,))) == 1 else ...
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, int | float):
        return ...
    if not abs(value) <= sys.float_info.max:  # not finite, or an integer beyond the range of floats
        return None
    return int(value) if isinstance(value, int) else float(value)


def _text(value: str) -> str:
    """Return a text of limited length without lone surrogates, which cannot be encoded."""
    return value[:MAX_TEXT].encode(errors="replace").decode()


def axis_label(name: str) -> str:
    """Return the label of an axis for the name of a key."""
    return "iteration" if name == "iter" else name.replace("_", " ")


def x_axis(steps: Sequence[Step]) -> tuple[str, list[float | None]]:
    """Return the name and the values of the horizontal axis of a clean history.

    These are the steps if all entries count them; otherwise the seconds, unless there is one entry
    per class; otherwise the number of the entry.
    """
    names = (*STEP_KEYS, *(() if _by_group(steps) else ("seconds",)))
    for name in names:
        values = column(steps, name)
        if None not in values:
            return name, values
    return "entry", [float(i + 1) for i in range(len(steps))]


def is_time_series(steps: Sequence[Step]) -> bool:
    """Whether a clean history follows a process in time, instead of listing classes."""
    name, values = x_axis(steps)
    return len(values) > 0 and (name in STEP_KEYS or (len(values) > 1 and not _by_group(steps)))


def _by_group(steps: Sequence[Step]) -> bool:
    """Whether the entries describe one class each."""
    return any(_GROUP in step for step in steps)


def series_names(steps: Sequence[Step]) -> list[str]:
    """Return the names of numeric series, losses first, without steps, seconds and sizes."""
    names = dict.fromkeys(name for step in steps for name in step)
    series = [name for name in names if name not in _BOOKKEEPING and has_numbers(steps, name)]
    return sorted(series, key=lambda name: "loss" not in name)


def has_numbers(steps: Sequence[Step], name: str) -> bool:
    """Whether any entry of a clean history has a number under this name."""
    return any(value is not None for value in column(steps, name))


def column(steps: Sequence[Step], name: str) -> list[float | None]:
    """Return one value per entry of a clean history: a number, or None if there is none."""
    values = (step.get(name) for step in steps)
    return [float(v) if isinstance(v, int | float) and not isinstance(v, bool) else None for v in values]
