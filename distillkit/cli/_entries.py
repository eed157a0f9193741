"""What the commands ``list`` and ``show`` know of all that is registered, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["PLURALS", "entries_of", "kind_entries", "plugin_entries", "suite_entries"]

PLURALS: Mapping[str, str] = {
    "method": "methods",
    "dataset": "datasets",
    "metric": "metrics",
    "evaluator": "evaluators",
    "reporter": "reporters",
    "executor": "executors",
    "suite": "suites",
    "plugin": "plugins",
}
"""The kinds of things and the words by which they are listed."""


def entries_of(things: str) -> list[dict[str, Any]]:
    """Return the entries of one kind of things, which is named in the plural."""
    from distillkit.plugins._listing import spec_entries

    if things == "plugins":
        return plugin_entries()
    if things == "suites":
        return suite_entries()
    return spec_entries(next(kind for kind, plural in PLURALS.items() if plural == things))


def kind_entries() -> list[dict[str, Any]]:
    """Return an entry for each kind, with its number of things and the command that lists them."""
    return [
        {"kind": things, "number": len(entries_of(things)), "command": f"distillkit list {things}"}
        for things in PLURALS.values()
    ]


def suite_entries() -> list[dict[str, Any]]:
    """Return an entry for each suite that ships with distillkit."""
    from distillkit.bench.planning._load_suite import load_suite, shipped_suites

    return [{"name": name, "summary": load_suite(name).description} for name in shipped_suites()]


def plugin_entries() -> list[dict[str, Any]]:
    """Return an entry for each plugin, with its status."""
    import click

    from distillkit.plugins import get_manager

    manager = get_manager()
    manager.add_commands(click.Group())  # `records` calls all other hooks; errors in this one must show as well.
    return [
        {
            "name": record.name,
            "version": record.version,
            "status": record.status,
            "provides": _summary(record.provides),
            "error": record.error or "",
        }
        for record in manager.records.values()
    ]


def _summary(provides: Sequence[str]) -> str:
    """List the names that a plugin provides, or count them by kind if there are many."""
    if len(provides) <= 6:
        return " ".join(provides) or "-"
    kinds = Counter(name.partition(":")[0] for name in provides)
    return ", ".join(
        f"{number} {kind}{'s' if number > 1 and kind != 'published' else ''}" for kind, number in kinds.items()
    )
