"""A registered method, made from the name that a parameter of another one holds."""

from __future__ import annotations

from typing import Any

from distillkit.exceptions import DataError
from distillkit.plugins import get_manager

__all__ = ["method_named"]


def method_named(parameter: str, name: str) -> Any:
    """Return an unfitted method by its registered name, optionally ``name:preset``, with the parameters registered for it.

    Parameters
    ----------
    parameter : str
        That holds the name, for the message.
    name : str

    Raises
    ------
    DataError
        If it has no such preset.
    UnknownNameError
        If there is no method of the name.
    """
    short, _, preset = name.partition(":")
    spec = get_manager().get("method", short)
    if preset and preset not in spec.presets:
        raise DataError(f"{parameter}={name!r}: {short} has the presets {sorted(spec.presets)}.")
    return spec.load()(**{**spec.params, **(spec.presets[preset] if preset else {})})
