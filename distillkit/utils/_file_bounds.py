"""Bounds on what a file may ask of the reader: bytes once it is expanded, and levels of nesting."""

from __future__ import annotations

import json
import tomllib
from typing import Any

__all__ = ["DEEPEST", "check_nesting", "largest_content", "parsed_json", "parsed_toml"]

DEEPEST = 100
"""Most levels of lists and tables in each other. Deeper ones exhaust the stack of Python."""

_ALWAYS_ALLOWED = 2**26
_MOST_TIMES = 100


def largest_content(n_bytes: int, times: int = _MOST_TIMES) -> int:
    """Return how many bytes the content of a file may have once it is expanded.

    A few bytes can stand for any number of equal ones, in compressed files, in tables that repeat
    a value, and in images that are stored smaller. Such a file could exhaust the memory.

    Parameters
    ----------
    n_bytes : int
        Bytes of the file.
    times : int, default=100
        Largest factor, which takes effect beyond 64 MiB.

    Returns
    -------
    int
        64 MiB, or `times` the bytes of the file if that is more.

    Examples
    --------
    >>> largest_content(1000), largest_content(10**9)
    (67108864, 100000000000)
    """
    return max(_ALWAYS_ALLOWED, times * n_bytes)


def parsed_json(text: str | bytes) -> Any:
    """Parse JSON that comes from a file.

    Raises
    ------
    ValueError
        If it is no JSON, or has more than 100 levels of lists and objects in each other.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(f"it has more than {DEEPEST} levels") from None
    check_nesting(value)
    return value


def parsed_toml(text: str) -> dict[str, Any]:
    """Parse TOML that comes from a file or from the command line.

    Raises
    ------
    ValueError
        If it is no TOML, has more than 100 levels of lists and tables in each other, or holds whole
        numbers that have more than 64 bits, which TOML does not provide for.
    """
    try:
        value = tomllib.loads(text)
    except RecursionError:
        raise ValueError(f"it has more than {DEEPEST} levels") from None
    check_nesting(value)
    _check_integers(value)
    return value


def _check_integers(value: Any) -> None:
    """Raise an error about a number that Python could not even write in a message."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ValueError(f"it holds a whole number of {value.bit_length()} bits, and 64 are the most")
    if isinstance(value, (dict, list)):
        for item in _items(value):
            _check_integers(item)


def check_nesting(value: Any) -> None:
    """Check that plain values have at most 100 levels of lists and tables in each other.

    Raises
    ------
    ValueError
        If they have more.
    """
    level = [value]
    for _ in range(DEEPEST + 1):
        # One level after the other, because recursion is what deep nesting exhausts.
        level = [item for inner in level if isinstance(inner, (dict, list, tuple)) for item in _items(inner)]
        if not level:
            return
    raise ValueError(f"it has more than {DEEPEST} levels")


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value
