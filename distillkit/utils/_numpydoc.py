"""Reads docstrings in the numpydoc format: what a function does, and what its parameters mean."""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from itertools import pairwise
from textwrap import dedent
from typing import Any

__all__ = ["DocumentedParameter", "introduction", "parameters"]

_RULE = re.compile(r"^(-{3,}|={3,})$")
_ENTRY = re.compile(r"^(\*{0,2}\w[\w, *]*?)\s*(?::\s*(.*))?$")

_REFERENCE = re.compile(r"(?:See|As for) `(\w+)`\.")
_SAME_AS = re.compile(r"\b(?:Parameters|parameters|options)\b[^.`]*`(\w+)`")
"""Sentences such as "parameters as for `make_convnet`"."""
_MAX_DEPTH = 3


@dataclass(frozen=True)
class DocumentedParameter:
    """A parameter of a class or function.

    Parameters
    ----------
    name : str
    default : str or None
        The default as Python writes it; None if a value must be given.
    type : str
        The first line of its documentation, such as ``"int, default=1"``.
    meaning : str
        Its description in one line; empty if there is none.
    """

    name: str
    default: str | None
    type: str
    meaning: str


def introduction(obj: Any) -> str:
    """Return the text of a docstring before its first section, one line per paragraph."""
    lines = (inspect.getdoc(obj) or "").splitlines()
    end = next((i - 1 for i, line in enumerate(lines) if i and _RULE.match(line)), len(lines))
    paragraphs = "\n".join(lines[:end]).strip().split("\n\n")
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def parameters(obj: Any, leave_out: frozenset[str] = frozenset()) -> list[DocumentedParameter]:
    """Return the parameters of a class or function, in the order of its signature.

    A meaning such as "See `BaseDistiller`." is replaced by that of the same parameter there.

    Parameters
    ----------
    obj : callable
    leave_out : frozenset of str
        Parameters that the caller gives, which are no choice of the user.
    """
    found = []
    for name, parameter in inspect.signature(obj).parameters.items():
        if name in leave_out or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        default = None if parameter.default is parameter.empty else repr(parameter.default)
        found.append(DocumentedParameter(name, default, *_type_and_meaning(obj, name)))
    return found


def _type_and_meaning(obj: Any, name: str, depth: int = 0) -> tuple[str, str]:
    """Return what the docstrings of an object, of its bases and of what it refers to say."""
    kind, meaning = _documented(inspect.getdoc(obj) or "").get(name, ("", ""))
    if depth == _MAX_DEPTH:
        return kind, meaning

    def at(place: str) -> tuple[str, str]:
        other = bases.get(place, vars(sys.modules.get(obj.__module__, object)).get(place))
        return ("", "") if other is None or other is obj else _type_and_meaning(other, name, depth + 1)

    bases = {base.__name__: base for base in inspect.getmro(obj)[1:]} if inspect.isclass(obj) else {}
    meaning = _REFERENCE.sub(lambda match: at(match[1])[1] or match[0], meaning)
    for place in [*_SAME_AS.findall(introduction(obj)), *bases] if not meaning else ():
        other_kind, meaning = at(place)
        kind = kind or other_kind
        if meaning:
            break
    return kind, meaning


def _documented(doc: str) -> dict[str, tuple[str, str]]:
    """Return type and meaning of each parameter that a docstring describes."""
    entries: dict[str, tuple[str, str]] = {}
    for block in _entries(_section(doc.splitlines(), "Parameters")):
        match = _ENTRY.match(block[0])
        if match is None:
            continue
        meaning = " ".join(dedent("\n".join(block[1:])).split())
        for name in match[1].split(","):
            entries[name.strip().lstrip("*")] = (match[2] or "", meaning)
    return entries


def _section(lines: list[str], title: str) -> list[str]:
    """Return the lines of one section; sections are headed by a title over a rule."""
    heads = [i - 1 for i, line in enumerate(lines) if i and _RULE.match(line)]
    for head, end in pairwise([*heads, len(lines)]):
        if lines[head].strip() == title:
            return lines[head + 2 : end]
    return []


def _entries(lines: list[str]) -> list[list[str]]:
    """Split a section into entries, which begin at lines without indent."""
    entries: list[list[str]] = []
    for line in lines:
        if line and not line[0].isspace():
            entries.append([line])
        elif entries:
            entries[-1].append(line)
    return entries
