"""Values in messages."""

from __future__ import annotations

from typing import Any

__all__ = ["shown"]


def shown(value: Any, longest: int = 200) -> str:
    """Return the representation of a value, cut after `longest` characters.

    Examples
    --------
    >>> shown("abc"), shown("abc", longest=3)
    ("'abc'", "'ab...")
    """
    text = repr(value)
    return text if len(text) <= longest else f"{text[:longest]}..."
