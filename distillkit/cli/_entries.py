"""What the commands ``list`` and ``show`` know of all that is registered, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillkit.specs import Spec

__all__ = ["PLURALS", "entries_of", "kind_entries", "plugin_entries", "spec_entries", "spec_entry", "suite_entries"]

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

_SINGLE = ("kind", "role", "reduces", "task", "modality", "stage")
_SEVERAL = ("tasks", "modalities")


def entries_of(things: str) -> list[dict[str, Any]]:
    """Return the entries of one kind of things, which is named in the plural."""
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


def spec_entries(kind: str) -> list[dict[str, Any]]:
    """Return an entry for each spec of one kind, under its short name if it has one."""
    from distillkit.plugins import get_manager

    specs = get_manager().specs(kind)
    return [
        spec_entry(kind, name, spec)
        for name, spec in specs.items()
        if "/" not in name or specs.get(name.partition("/")[2]) is not spec
    ]


def spec_entry(kind: str, name: str, spec: Spec) -> dict[str, Any]:
    """Return what a listing says of one spec."""
    from distillkit.plugins import get_manager

    entry: dict[str, Any] = {"name": name}
    entry |= {key: getattr(spec, key) for key in _SINGLE if hasattr(spec, key)}
    entry |= {key: " ".join(sorted(getattr(spec, key))) for key in _SEVERAL if hasattr(spec, key)}
    missing = spec.missing()
    entry["summary"] = spec.summary + (f" (needs {', '.join(missing)})" if missing else "")
    presets = getattr(spec, "presets", None)
    if presets:
        entry["summary"] += f" [presets: {', '.join(presets)}]"
    entry["plugin"] = get_manager().provider(kind, name).dist
    return entry


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
