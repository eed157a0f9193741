"""Looks up a class of another package by its name, with an error that names the near ones."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from distillkit.exceptions import DataError, UnknownNameError

__all__ = ["make"]


def make(parameter: str, given: Any, module: str, options: dict[str, Any], method: str) -> Any:
    """Return an object of a class that is given by name, or a copy of a given object.

    Parameters
    ----------
    parameter : str
        Name of the parameter, for messages.
    given : str or object
        The name of a class, or an object with `method`.
    module : str
        Module of the class.
    options : dict
        Arguments of the class.
    method : str
        What the object must have.

    Raises
    ------
    UnknownNameError
        If the module has no such class.
    DataError
        If an option does not exist, or the object lacks the method.
    """
    if not isinstance(given, str):
        if not hasattr(given, method):
            raise DataError(f"{parameter}={given!r} has no {method}: give the name of a class of {module}.")
        return given
    known = {
        name: value
        for name, value in vars(import_module(module)).items()
        if inspect.isclass(value) and hasattr(value, method) and not name.startswith("_")
    }
    if given not in known:
        raise UnknownNameError(parameter, given, known)
    try:
        return known[given](**options)
    except TypeError as exc:
        raise DataError(f"{parameter}={given!r} does not take options={options!r}: {exc}.") from exc
