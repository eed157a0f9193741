"""A `history_` as data: fit for JSON, thinned, and told apart into the axis of steps and the series along it."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

__all__ = [
    "STEP_KEYS",
    "clean_history",
    "column",
    "has_numbers",
    "is_run",
    "kept_history",
    "said",
    "series_names",
    "thinned",
    "x_axis",
]

STEP_KEYS = ("iteration", "iter", "step", "update", "round", "epoch")
"""Names under which methods count their steps."""

MAX_STEPS = 200
"""Entries of a history that are stored."""

MAX_TEXT = 200
"""Characters of a text in a history that are stored."""

_GROUP = "label"  # methods that do one class after the other say so in each entry
_BOOKKEEPING = frozenset({*STEP_KEYS, "seconds", _GROUP, "rows", "size", "n_iter"})

Step = dict[str, Any]


def kept_history(estimator: Any, path: str = "history_", most: int = MAX_STEPS) -> list[Step]:
    """Return the history of a fitted estimator as it is stored.

    Parameters
    ----------
    estimator : estimator
    path : str
        Attribute that holds it, with dots for an attribute of an attribute. Anything but a list of dicts, a plugin's
        mistake, is as good as none.
    most : int
        Entries to keep: evenly spread, the first and the last among them.

    Returns
    -------
    list of dict
        See `clean_history`; empty where there is no history.
    """
    try:
        history = attrgetter(path)(estimator)
        return clean_history(thinned(history, most)) if isinstance(history, list | tuple) else []
    except Exception:  # none there, or a plugin's that fails to be read: not worth the distilled set it comes with
        return []


def thinned(items: Sequence[Any], most: int) -> Sequence[Any]:
    """Return at most `most` (two or more) items, evenly spread, the first and the last among them."""
    n = len(items)
    return items if n <= most else [items[i * (n - 1) // (most - 1)] for i in range(most)]


def clean_history(history: Sequence[Any]) -> list[Step]:
    """Return the entries that are mappings, with their numbers and texts fit for JSON.

    Arrays and other things are left out: one picture a step would dwarf all else. What is not finite becomes None.
    """
    return [
        {_text(str(key)): kept for key, value in step.items() if (kept := _scalar(value)) is not ...}
        for step in history
        if isinstance(step, Mapping)
    ]


def _scalar(value: Any) -> Any:
    """Return a number, a text, a truth value or None; an ellipsis for what is none of them."""
    if not isinstance(value, str | float) and callable(getattr(value, "item", None)):  # NumPy's and torch's numbers
        value = value.item() if math.prod(getattr(value, "shape", (0,))) == 1 else ...
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, int | float):
        return ...
    if not abs(value) <= sys.float_info.max:  # not finite, or a whole number that no float holds
        return None
    return int(value) if isinstance(value, int) else float(value)


def _text(value: str) -> str:
    return value[:MAX_TEXT].encode(errors="replace").decode()  # lone surrogates, which no file holds, become "?"


def said(name: str) -> str:
    """Return the name of a key as it is written beside an axis."""
    return "iteration" if name == "iter" else name.replace("_", " ")


def x_axis(steps: Sequence[Step]) -> tuple[str, list[float | None]]:
    """Return the name and the values that a clean history is drawn against.

    The steps if all entries count them; else the seconds, unless the entries are one per class; else their number.
    """
    names = (*STEP_KEYS, *(() if _by_group(steps) else ("seconds",)))
    for name in names:
        values = column(steps, name)
        if None not in values:
            return name, values
    return "entry", [float(i + 1) for i in range(len(steps))]


def is_run(steps: Sequence[Step]) -> bool:
    """Whether a clean history follows a process in time, rather than listing what was done to each class."""
    name, values = x_axis(steps)
    return len(values) > 0 and (name in STEP_KEYS or (len(values) > 1 and not _by_group(steps)))


def _by_group(steps: Sequence[Step]) -> bool:
    return any(_GROUP in step for step in steps)


def series_names(steps: Sequence[Step]) -> list[str]:
    """Return the names of a clean history that have a number somewhere: losses first; no steps, seconds and sizes."""
    names = dict.fromkeys(name for step in steps for name in step)
    found = [name for name in names if name not in _BOOKKEEPING and has_numbers(steps, name)]
    return sorted(found, key=lambda name: "loss" not in name)


def has_numbers(steps: Sequence[Step], name: str) -> bool:
    """Whether any entry of a clean history has a number of that name."""
    return any(value is not None for value in column(steps, name))


def column(steps: Sequence[Step], name: str) -> list[float | None]:
    """Return one value per entry of a clean history: a number, or None where there is none."""
    values = (step.get(name) for step in steps)
    return [float(v) if isinstance(v, int | float) and not isinstance(v, bool) else None for v in values]
