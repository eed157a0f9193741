"""Describes errors in one line, for rows of results and reports."""

from __future__ import annotations

from distillkit.utils._surrogates import escaped

__all__ = ["error_line"]

_MAX_CHARACTERS = 2000
"""Length to which messages are cut, because every one is stored and shown in reports."""


def error_line(exc: BaseException) -> str:
    """Return the type, the message and the notes of an exception in one line of limited length."""
    try:
        message = " ".join([str(exc), *(f"({note})" for note in getattr(exc, "__notes__", ()))])
    except Exception:  # An exception of a plugin may fail to describe itself.
        message = "(it has no readable message)"
    name = type(exc).__name__
    text = escaped(" ".join(_shortened(message).split()))
    return f"{name}: {text}" if text else name


def _shortened(text: str) -> str:
    """Cut the middle out of a long text."""
    if len(text) <= _MAX_CHARACTERS:
        return text
    end = _MAX_CHARACTERS // 4
    start = _MAX_CHARACTERS - end
    return f"{text[:start]} [{len(text) - _MAX_CHARACTERS} characters left out] {text[-end:]}"
