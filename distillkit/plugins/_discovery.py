"""Finds the entry points of installed distributions and asks, before any import, whether they fit this version."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from typing import Any

from distillkit.exceptions import PluginError
from distillkit.hookspecs import PROJECT

__all__ = ["Candidate", "check_host", "find_candidates", "normalize"]


@dataclass(frozen=True)
class Candidate:
    """An entry point that has not been imported.

    Parameters
    ----------
    name : str
        ``"<distribution>:<entry point>"``: entry points of two distributions may have one name, and pluggy would
        drop the second one without a word.
    dist, version : str
    requires : tuple of str
        Requirements of the distribution, as in its metadata.
    load : callable
        Imports the plugin.
    """

    name: str
    dist: str
    version: str
    requires: tuple[str, ...]
    load: Callable[[], Any]


def normalize(name: str) -> str:
    """Return a distribution's name in the one spelling that installers compare by."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_candidates() -> list[Candidate]:
    """List the entry points in the group ``distillkit``, sorted by name, each distribution once.

    Of a distribution that lies twice on ``sys.path`` the first one counts, as it does for imports.
    """
    seen: set[str] = set()
    found: dict[str, Candidate] = {}
    for dist in distributions():
        if not _mentions_group(dist):
            continue
        name = normalize(_field(dist, "Name"))
        if name in seen:
            continue
        seen.add(name)
        for candidate in _candidates(dist, name):
            found.setdefault(candidate.name, candidate)
    return [found[name] for name in sorted(found)]


def _mentions_group(dist: Distribution) -> bool:
    try:
        text = dist.read_text("entry_points.txt")
    except Exception:  # a damaged distribution that we cannot even ask is none of our plugins
        return False
    return text is not None and re.search(rf"^\s*\[\s*{PROJECT}\s*\]", text, re.MULTILINE) is not None


def _field(dist: Distribution, key: str) -> str:
    """Read one field of the metadata, which may be damaged or missing."""
    try:
        return str(dist.metadata[key] or "unknown")
    except Exception:
        return "unknown"


def _candidates(dist: Distribution, name: str) -> Iterator[Candidate]:
    version = _field(dist, "Version")
    try:
        requires = tuple(dist.requires or ())
        entry_points = [entry for entry in dist.entry_points if entry.group == PROJECT]
    except Exception as exc:  # one damaged file must not hide the plugins of all the others
        yield Candidate(
            f"{name}:?", name, version, (), _raiser(f"its metadata cannot be read: {type(exc).__name__}: {exc}")
        )
        return
    values: dict[str, str] = {}
    for entry in entry_points:
        if values.setdefault(entry.name, entry.value) == entry.value:
            yield Candidate(f"{name}:{entry.name}", name, version, requires, entry.load)
        else:
            cause = f"the entry point {entry.name!r} is already {values[entry.name]!r} in the same distribution."
            yield Candidate(f"{name}:{entry.name}={entry.value}", name, version, (), _raiser(cause))


def _raiser(message: str) -> Callable[[], Any]:
    def load() -> Any:
        raise PluginError(message)

    return load


def check_host(requires: tuple[str, ...], host: str) -> None:
    """Compare a plugin's requirement on distillkit with this version, so that a misfit is told as such.

    Parameters
    ----------
    requires : tuple of str
        Requirements of the plugin's distribution.
    host : str
        Version of distillkit; ``"0+unknown"`` (a bare checkout) fits everything.

    Raises
    ------
    PluginError
        If the requirement excludes this version.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    if host == "0+unknown":
        return
    for text in requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:  # on another package, or no installer would have taken it
            continue
        if normalize(wanted.name) != PROJECT or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        if not wanted.specifier.contains(host, prereleases=True):
            raise PluginError(
                f"needs {PROJECT}{wanted.specifier}, but this is {PROJECT} {host}: install a version of it that fits."
            )
