"""``distillkit list``: everything the harness knows, with who provides it."""

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
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.option("--strict", is_flag=True, help="With plugins: exit status 1 if any of them is off.")
def list_(kind: str, as_json: bool, strict: bool) -> None:
    """List methods, datasets, metrics, evaluators, reporters, executors, suites or plugins."""
    lines = _plugins() if kind == "plugins" else _suites() if kind == "suites" else _specs(kind[:-1])
    if as_json:
        click.echo(json.dumps(lines, indent=1))
    else:
        _print(lines)
    if strict and any(line.get("status") not in (None, "active") for line in lines):
        raise click.exceptions.Exit(1)


def _specs(kind: str) -> list[dict[str, Any]]:
    from distillkit.plugins import get_manager

    manager = get_manager()
    lines = []
    for name, spec in manager.specs(kind).items():
        if "/" in name and manager.specs(kind).get(name.partition("/")[2]) is spec:
            continue  # listed under its short name
        line: dict[str, Any] = {"name": name}
        line |= {
            key: getattr(spec, key) for key in ("kind", "reduces", "task", "modality", "stage") if hasattr(spec, key)
        }
        if hasattr(spec, "tasks") and kind != "metric":
            line["tasks"] = " ".join(sorted(spec.tasks))
        missing = spec.missing()
        line["summary"] = spec.summary + (f" (needs {', '.join(missing)})" if missing else "")
        presets = getattr(spec, "presets", None)
        if presets:
            line["summary"] += f" [presets: {', '.join(presets)}]"
        line["plugin"] = manager.provider(kind, name).dist
        lines.append(line)
    return lines


def _suites() -> list[dict[str, Any]]:
    from distillkit.bench.planning._load_suite import load_suite, shipped_suites

    return [{"name": name, "summary": load_suite(name).description} for name in shipped_suites()]


def _plugins() -> list[dict[str, Any]]:
    from distillkit.plugins import get_manager

    manager = get_manager()
    manager.add_commands(click.Group())  # the one hook that `records` does not call: what fails in it must show, too
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
    """Name what a small plugin gives; count what a large one gives."""
    if len(provides) <= 6:
        return " ".join(provides) or "-"
    kinds = Counter(entry.partition(":")[0] for entry in provides)
    return ", ".join(
        f"{number} {kind}{'s' if number > 1 and kind != 'published' else ''}" for kind, number in kinds.items()
    )


def _print(lines: list[dict[str, Any]]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    names = [name for name in (lines[0] if lines else {}) if any(line[name] for line in lines)]
    for name in names:
        table.add_column(name, no_wrap=name not in {"summary", "error", "provides"}, overflow="fold")
    for line in lines:
        table.add_row(*(Text(str(line[name])) for name in names))
    # a pipe has no width of its own: lines stay whole there, for grep
    Console(width=None if sys.stdout.isatty() else 240).print(table if lines else "none")
