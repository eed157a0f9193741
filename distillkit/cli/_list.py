"""The command ``distillkit list``, which lists everything that is registered and its provider."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from distillkit.cli._entries import PLURALS, entries_of, kind_entries

__all__ = ["list_"]

_TEXTS = ("summary", "provides", "error")
"""Columns that may be folded; names and the other columns never are."""
_HIDDEN = ("tasks", "modalities", "role", "plugin", "reduces", "modality", "task", "stage", "version", "kind")
"""Columns that a narrow terminal does without, the first ones first."""
_TEXT_WIDTH = 36
"""Width that is left for texts before columns are hidden."""
_PIPE_WIDTH = 240
"""A pipe has no width; a large one keeps each entry on one line, so that grep finds it whole."""


@click.command("list")
@click.argument("things", metavar="[KIND]", required=False, type=click.Choice(tuple(PLURALS.values())))
@click.option("--kind", "--family", "kind", help="For methods: only this family, such as coreset.")
@click.option("--task", help="Only what does this task: classification or regression.")
@click.option("--modality", help="Only what takes these rows: table, series or image.")
@click.option("--stage", help="For metrics: only those of this stage, prediction, data or run.")
@click.option("--plugin", help="Only what this distribution, or this Python file with hooks, provides.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON, for programs.")
@click.option("--requirements", is_flag=True, help="For plugins: print those in use as a requirements file for pip.")
@click.option("--strict", is_flag=True, help="For plugins: exit with status 1 unless all of them are active.")
def list_(things: str | None, as_json: bool, requirements: bool, strict: bool, **filters: str | None) -> None:
    """List methods, datasets, metrics, evaluators, reporters, executors, suites or plugins.

    KIND is one of these words; without it, the kinds are listed with their numbers.

    On a narrow terminal, columns of less interest are left out; `distillkit show NAME` and --json
    tell everything.

    Example: distillkit list methods --kind coreset --task regression

    Example: distillkit list plugins --requirements > requirements.txt
    """
    if requirements:
        _print_requirements(things)
        return
    filters["plugin"] = _loaded(filters["plugin"])
    if things is None:
        entries = kind_entries()
        things = "kinds"
    else:
        entries = entries_of(things)
    for name, value in filters.items():
        if value is not None:
            entries = _filter(entries, things, name, value)
    if as_json:
        click.echo(json.dumps(entries, indent=1))
    else:
        _print(entries)
    if strict and any(entry.get("status") not in (None, "active") for entry in entries):
        raise click.exceptions.Exit(1)


def _loaded(plugin: str | None) -> str | None:
    """Return the name of a plugin, which is loaded first if it is a file."""
    if plugin is None or not plugin.endswith(".py"):
        return plugin
    from distillkit.plugins import get_manager, use_plugin_files

    use_plugin_files([plugin])
    return get_manager().records[f"file:{Path(plugin).absolute()}"].dist


def _print_requirements(things: str | None) -> None:
    """Print the distributions in use, distillkit first, one line each.

    A checkout that is not installed has no version that pip could be asked for.
    """
    from distillkit.plugins import get_manager
    from distillkit.utils._versions import UNKNOWN_VERSION, __version__

    if things not in (None, "plugins"):
        raise click.UsageError(f"--requirements does not apply to {things}: write `distillkit list plugins`.")
    host = "distillkit" if __version__ == UNKNOWN_VERSION else f"distillkit=={__version__}"
    for line in [host, *get_manager().requirements()]:
        click.echo(line)


def _filter(entries: list[dict[str, Any]], things: str, name: str, value: str) -> list[dict[str, Any]]:
    """Return the entries that have a value among the words of a field."""
    from distillkit.exceptions import UnknownNameError

    plural = {"task": "tasks", "modality": "modalities"}.get(name, name)
    words = [str(entry.get(name, entry.get(plural, ""))).split() for entry in entries]
    known = {word for each in words for word in each}
    if entries and not known:
        raise click.UsageError(f"--{name} does not apply to {things}.")
    if value not in known and entries:
        raise UnknownNameError(f"{name} of {things}", value, known)
    return [entry for entry, each in zip(entries, words, strict=True) if value in each]


def _print(entries: list[dict[str, Any]]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    # Columns that are empty for all entries are left out.
    columns = [name for name in (entries[0] if entries else {}) if any(entry[name] for entry in entries)]
    shown = _fitting(columns, entries, console.width)
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for column in shown:
        table.add_column(column, no_wrap=column not in _TEXTS, overflow="fold")
    for entry in entries:
        table.add_row(*(Text(str(entry[column])) for column in shown))
    console.print(table if entries else "none")
    if hidden := [column for column in columns if column not in shown]:
        console.print(Text(f"Not shown here: {', '.join(hidden)} (--json shows all).", style="dim"))


def _fitting(columns: list[str], entries: list[dict[str, Any]], width: int) -> list[str]:
    """Return the columns that fit into a width beside the texts, without folding any other."""
    widths = {name: max(len(name), *(len(str(entry[name])) for entry in entries)) for name in columns}
    needed = {name: min(size, _TEXT_WIDTH) if name in _TEXTS else size for name, size in widths.items()}
    shown = list(columns)
    for name in _HIDDEN:
        if sum(needed[column] + 1 for column in shown) - 1 <= width:
            break
        if name in shown:
            shown.remove(name)
    return shown
