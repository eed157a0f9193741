"""Finds the entry points of installed plugins and checks, before any import, that they fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from typing import Any

from distillkit.exceptions import PluginError
from distillkit.hookspecs import PROJECT
from distillkit.utils._versions import UNKNOWN_VERSION

__all__ = ["Candidate", "check_host", "find_candidates", "normalize"]


@dataclass(frozen=True)
class Candidate:
    """An entry point that has not been imported.

    Parameters
    ----------
    name : str
        ``"<distribution>:<entry point>"``. The distribution is part of the name because pluggy
        silently drops the second of two plugins with the same name.
    dist, version : str
        Normalized name and version of the distribution.
    requires : tuple of str
        Requirements of the distribution, as in its metadata.
    load : callable
        Imports the plugin and returns it.
    """

    name: str
    dist: str
    version: str
    requires: tuple[str, ...]
    load: Callable[[], Any]


def normalize(name: str) -> str:
    """Return the name of a distribution in the normalized spelling that installers compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_candidates() -> list[Candidate]:
    """List the entry points in the group ``distillkit``, sorted by name.

    If a distribution is on ``sys.path`` twice, the first one counts, as it does for imports.
    """
    visited: set[str] = set()
    candidates: dict[str, Candidate] = {}
    for dist in distributions():
        if not _mentions_group(dist):
            continue
        name = normalize(_field(dist, "Name"))
        if name in visited:
            continue
        visited.add(name)
        for candidate in _candidates(dist, name):
            candidates.setdefault(candidate.name, candidate)
    return [candidates[name] for name in sorted(candidates)]


def _mentions_group(dist: Distribution) -> bool:
    try:
        text = dist.read_text("entry_points.txt")
    except Exception:  # A distribution whose metadata cannot be read is not treated as a plugin.
        return False
    return text is not None and re.search(rf"^\s*\[\s*{PROJECT}\s*\]", text, re.MULTILINE) is not None


def _field(dist: Distribution, key: str) -> str:
    """Return one field of the metadata, or "unknown" if it is damaged or missing."""
    try:
        return str(dist.metadata[key] or "unknown")
    except Exception:
        return "unknown"


def _has_metadata(dist: Distribution) -> bool:
    """Return whether there is a metadata file, without which distributions of some finders raise.

    Such finders, those of the package ``importlib_metadata``, take the place of Python's own when
    any library imports that package.
    """
    return any(dist.read_text(name) is not None for name in ("METADATA", "PKG-INFO"))


def _candidates(dist: Distribution, name: str) -> Iterator[Candidate]:
    version = _field(dist, "Version")
    try:
        requires = tuple(dist.requires or ()) if _has_metadata(dist) else ()
        entry_points = [entry for entry in dist.entry_points if entry.group == PROJECT]
    except Exception as exc:  # One damaged distribution must not hide the plugins of the others.
        yield Candidate(
            f"{name}:?",
            name,
            version,
            (),
            _failing_load(f"its metadata cannot be read: {type(exc).__name__}: {exc}"),
        )
        return
    values: dict[str, str] = {}
    for entry in entry_points:
        if values.setdefault(entry.name, entry.value) == entry.value:
            yield Candidate(f"{name}:{entry.name}", name, version, requires, entry.load)
        else:
            cause = f"the entry point {entry.name!r} is already {values[entry.name]!r} in the same distribution."
            yield Candidate(f"{name}:{entry.name}={entry.value}", name, version, (), _failing_load(cause))


def _failing_load(message: str) -> Callable[[], Any]:
    """Return a `load` that raises, so that the problem is reported when the plugin is loaded."""

    def load() -> Any:
        raise PluginError(message)

    return load


def check_host(requires: tuple[str, ...], host: str) -> None:
    """Check that the requirement of a plugin on distillkit admits this version of distillkit.

    Parameters
    ----------
    requires : tuple of str
        Requirements of the distribution of the plugin.
    host : str
        Version of distillkit; ``"0+unknown"`` (a checkout that is not installed) fits every
        requirement.

    Raises
    ------
    PluginError
        If the requirement excludes this version.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    if host == UNKNOWN_VERSION:
        return
    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # An installer would have refused an invalid one on distillkit.
            continue
        if normalize(requirement.name) != PROJECT:
            continue
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        if not requirement.specifier.contains(host, prereleases=True):
            raise PluginError(
                f"needs {PROJECT}{requirement.specifier}, but this is {PROJECT} {host}: "
                "install a version of it that fits."
            )
