"""Sentences on the versions that results were made with, where these are several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from distillkit.bench.planning._keys import PROTOCOL

__all__ = ["made_by_others", "version_notes"]

UNKNOWN = "an unknown version"
Row = Mapping[str, Any]


def version_notes(rows: Iterable[Row], environments: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return notes on results that several versions have made, for the page of a leaderboard.

    Parameters
    ----------
    rows : iterable of mapping
        The finished rows of the page.
    environments : mapping of str to mapping
        Versions and hardware by hash.

    Returns
    -------
    list of str
        A sentence on the versions of distillkit, one on versions of the protocol, and one on the
        packages of plugins, each only if there are several.
    """
    rows = list(rows)
    notes = []
    of_distillkit = _versions_of(rows, environments)
    if len(of_distillkit) > 1:
        notes.append(f"Several versions of distillkit made these results: {_counted(of_distillkit, '')}.")
    protocols = Counter(row["protocol"] for row in rows if row.get("protocol") is not None)
    if len(protocols) > 1:
        notes.append(
            f"They follow several protocols ({_counted(protocols, 'protocol ')}), whose values do not compare: run "
            "the suite again to measure all in one way."
        )
    of_plugins: dict[str, Counter[Any]] = {}
    for row in rows:
        if row.get("plugin", "distillkit") != "distillkit":
            of_plugins.setdefault(row["plugin"], Counter())[row.get("plugin_version") or UNKNOWN] += 1
    notes += [
        f"Several versions of the plugin {name} made these results: {_counted(counts, '')}."
        for name, counts in of_plugins.items()
        if len(counts) > 1
    ]
    return notes


def made_by_others(rows: Iterable[Row], environments: Mapping[str, Mapping[str, Any]], version: str) -> str | None:
    """Return a sentence on rows that another version of distillkit or of the protocol has made.

    Parameters
    ----------
    rows : iterable of mapping
    environments : mapping of str to mapping
        Versions and hardware by hash.
    version : str
        The version of distillkit that reads them.
    """
    rows = list(rows)
    others = {name: count for name, count in _versions_of(rows, environments).items() if name not in (version, UNKNOWN)}
    older = Counter(row["protocol"] for row in rows if row.get("protocol") not in (None, PROTOCOL))
    if not others and not older:
        return None
    parts = []
    if others:
        parts.append(f"made by distillkit {_counted(others, '')}, while this is {version}")
    if older:
        parts.append(f"measured by {_counted(older, 'protocol ')}, while this version has protocol {PROTOCOL}")
    return (
        f"results here were {' and '.join(parts)}. `distillkit verify` measures a sample of them again and says "
        "whether they still hold."
    )


def _versions_of(rows: Iterable[Row], environments: Mapping[str, Mapping[str, Any]]) -> Counter[str]:
    """Count the rows by the version of distillkit that made them."""
    known = {key: (value.get("versions") or {}).get("distillkit", UNKNOWN) for key, value in environments.items()}
    return Counter(known.get(row.get("environment") or "", UNKNOWN) for row in rows)


def _counted(counts: Mapping[Any, int], word: str) -> str:
    return ", ".join(f"{word}{name} ({count:,} rows)" for name, count in sorted(counts.items(), key=str))
