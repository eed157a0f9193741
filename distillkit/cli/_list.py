"""The command ``distillkit list``, which lists everything that is registered and its provider."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

__all__ = ["list_"]

_KINDS = ("methods", "datasets", "metrics", "evaluators", "reporters", "executors", "suites", "plugins")


@click.command("list")
@click.argument("kind", type=click.Choice(_KINDS))
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON, for programs.")
@click.option("--strict", is_flag=True, help="For plugins: exit with status 1 unless all of them are active.")
def list_(kind: str, as_json: bool, strict: bool) -> None:
    """List methods, datasets, metrics, evaluators, reporters, executors, suites or plugins."""
    entries = _plugins() if kind == "plugins" else _suites() if kind == "suites" else _specs(kind[:-1])
    if as_json:
        click.echo(json.dumps(entries, indent=1))
    else:
        _print(entries)
    if strict and any(entry.get("status") not in (None, "active") for entry in entries):
        raise click.exceptions.Exit(1)


def _specs(kind: str) -> list[dict[str, Any]]:
    from distillkit.plugins import get_manager

    manager = get_manager()
    entries = []
    for name, spec in manager.specs(kind).items():
        if "/" in name and manager.specs(kind).get(name.partition("/")[2]) is spec:
            continue  # This spec is listed under its short name.
        entry: dict[str, Any] = {"name": name}
        entry |= {
            key: getattr(spec, key) for key in ("kind", "reduces", "task", "modality", "stage") if hasattr(spec, key)
        }
        if hasattr(spec, "tasks") and kind != "metric":
            entry["tasks"] = " ".join(sorted(spec.tasks))
        missing = spec.missing()
        entry["summary"] = spec.summary + (f" (needs {', '.join(missing)})" if missing else "")
        presets = getattr(spec, "presets", None)
        if presets:
            entry["summary"] += f" [presets: {', '.join(presets)}]"
        entry["plugin"] = manager.provider(kind, name).dist
        entries.append(entry)
    return entries


def _suites() -> list[dict[str, Any]]:
    from distillkit.bench.planning._load_suite import load_suite, shipped_suites

    return [{"name": name, "summary": load_suite(name).description} for name in shipped_suites()]


def _plugins() -> list[dict[str, Any]]:
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


def _print(entries: list[dict[str, Any]]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    # Columns that are empty for all entries are left out.
    columns = [name for name in (entries[0] if entries else {}) if any(entry[name] for entry in entries)]
    for column in columns:
        table.add_column(column, no_wrap=column not in {"summary", "error", "provides"}, overflow="fold")
    for entry in entries:
        table.add_row(*(Text(str(entry[column])) for column in columns))
    # A pipe has no width; a large one keeps each entry on one entry, so that grep finds it whole.
    Console(width=None if sys.stdout.isatty() else 240).print(table if entries else "none")
