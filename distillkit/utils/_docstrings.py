"""Docstrings that share parts: a decorator fills placeholders with texts that are written once."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = ["fill_docstring"]

_PLACEHOLDER = re.compile(r"^([ \t]*)\{(\w+)\}[ \t]*$", re.MULTILINE)
_VALUE = re.compile(r"\{\{(\w+)\}\}")

_T = TypeVar("_T", bound=type)


def fill_docstring(texts: Mapping[str, str], **values: object) -> Callable[[_T], _T]:
    """Return a decorator that replaces the placeholders in the docstring of a class.

    A placeholder is a line that holds nothing but a name in braces, ``{name}``. It is replaced by
    the text of that name, each line of which is indented like the placeholder. Braces elsewhere,
    such as those of a set of strings, stay as they are.

    Within a text, ``{{default}}`` stands for the default that the constructor of the class gives
    to the parameter of the text's name, and ``{{word}}`` for a keyword argument of this function,
    or else for an attribute of the class.

    Parameters
    ----------
    texts : mapping of str to str
        Texts by the names of the placeholders.
    **values : object
        What ``{{word}}`` stands for within the texts.

    Returns
    -------
    callable
        Maps the class to itself, so that the class stays picklable. Under ``python -OO``, where
        there are no docstrings, it changes nothing.

    Raises
    ------
    KeyError
        If a placeholder has no text.
    AttributeError
        If a ``{{word}}`` has no value.

    Examples
    --------
    >>> texts = {"size": "size : int, default={{default}}, at most {{most}}"}
    >>> @fill_docstring(texts, most=7)
    ... class Coreset:
    ...     '''Pick {"some"} rows.
    ...
    ...     {size}
    ...     '''
    ...     def __init__(self, size=3): ...
    >>> print(Coreset.__doc__.split(maxsplit=3)[-1].strip())
    size : int, default=3, at most 7
    """

    def fill(cls: _T) -> _T:
        if cls.__doc__ is None:
            return cls
        signature = inspect.signature(cls)

        def text_of(placeholder: re.Match[str]) -> str:
            indent, name = placeholder.groups()

            def value_of(match: re.Match[str]) -> str:
                word = match[1]
                if word == "default":
                    return _shown(signature.parameters[name].default)
                return str(values[word] if word in values else getattr(cls, word))

            lines = _VALUE.sub(value_of, texts[name]).splitlines()
            return "\n".join(indent + line if line else line for line in lines)

        cls.__doc__ = _PLACEHOLDER.sub(text_of, cls.__doc__)
        return cls

    return fill


def _shown(default: Any) -> str:
    """Return a default as docstrings show it, text in double quotes."""
    return json.dumps(default) if isinstance(default, str) else repr(default)
