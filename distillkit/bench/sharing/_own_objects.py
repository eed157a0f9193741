"""Names the rows that cannot run again from their fields, because they hold no own objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distillkit.plugins._record import OWN

__all__ = ["not_checkable"]


def not_checkable(row: Mapping[str, Any]) -> str | None:
    """Return why nobody can run a row again from its fields, or None where that is possible.

    The objects that a comparison from Python was given lie in its results folder as pickles. They
    are not read here, because reading a pickle of someone else runs their code.

    Parameters
    ----------
    row : mapping
        A stored row.
    """
    for kind in ("method", "evaluator"):
        name = str(row.get(f"{kind}_name"))
        if name.startswith(f"{OWN}/"):
            return (
                f"the {kind} {name} is a Python object of whoever ran the comparison, and a row does not hold it: "
                "run the comparison again from its script"
            )
    return None
