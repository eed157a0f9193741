"""The command ``distillkit show``, which tells everything about one registered thing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from distillkit.cli._completion import Name
from distillkit.cli._entries import PLURALS
from distillkit.cli._options import plugin_option

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["show"]

_OWN_PLACE = ("what", "name", "summary", "description", "parameters", "presets", "problem", "plugin_version")
_WORDS = {"greater_is_better": {True: "higher is better", False: "lower is better", None: "neither is better"}}
_PIPE_WIDTH = 100


@click.command()
@click.argument("name", type=Name(*PLURALS))
@click.option("--kind", type=click.Choice(tuple(PLURALS)), help="Only what is of this kind, if several have the name.")
@click.option("--json", "as_json", is_flag=True, help="Print the description as JSON, for programs.")
@plugin_option
def show(name: str, kind: str | None, as_json: bool) -> None:
    """Show what NAME does, its parameters with their defaults, its presets, source and plugin.

    NAME is a method, dataset, metric, evaluator, reporter, executor, suite or plugin.

    Example: distillkit show kmeans
    """
    from distillkit.cli._describe import describe

    descriptions = describe(name, kind)
    if as_json:
        click.echo(json.dumps(descriptions, indent=1, default=str))
        return
    import sys

    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    for number, description in enumerate(descriptions):
        if number:
            console.print()
        _print(description, console)


def _print(description: dict[str, Any], console: Console) -> None:
    """Print one description: what it is, its properties, its presets and its parameters."""
    from rich.text import Text

    title = Text(description["name"], style="bold")
    title.append(f"  {description['what']}", style="dim")
    console.print(title)
    for text in (description["summary"], description.get("description")):
        if text:
            console.print(Text(_plain(text)))
    console.print()
    rows = [(key.replace("_", " "), _shown(key, value)) for key, value in description.items() if key not in _OWN_PLACE]
    if "plugin_version" in description:
        rows.append(("plugin version", description["plugin_version"]))
    _print_pairs([(key, text) for key, text in rows if text], console)
    if description.get("problem"):
        console.print()
        console.print(Text(f"Parameters are not known: {description['problem']}", style="red"))
    if description.get("presets"):
        console.print()
        console.print(Text("Presets", style="bold cyan"))
        name = description["name"].partition(":")[0]
        presets = description["presets"].items()
        _print_pairs([(f"{name}:{preset}", _settings(values)) for preset, values in presets], console)
    if description.get("parameters"):
        console.print()
        console.print(Text("Parameters", style="bold cyan"))
        _print_parameters(description["parameters"], console)


def _plain(text: str) -> str:
    """Return a docstring without the marks of code."""
    return text.replace("``", "").replace("`", "")


def _shown(key: str, value: Any) -> str:
    if key in _WORDS:
        return _WORDS[key][value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items()) or "the defaults"


def _print_pairs(pairs: list[tuple[str, str]], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, text in pairs:
        table.add_row(Text(name), Text(text))
    console.print(table)


def _print_parameters(parameters: list[dict[str, Any]], console: Console) -> None:
    """Print each parameter with its default and type in one line, and its meaning below."""
    from rich.padding import Padding
    from rich.text import Text

    for parameter in parameters:
        head = Text(parameter["name"], style="bold")
        head.append(" (needed)" if parameter["default"] is None else f" = {parameter['default']}", style="not bold")
        kind = parameter["type"].partition(", default=")[0]
        if kind:
            head.append(f"  {kind}", style="not bold dim")
        console.print(Padding(head, (0, 0, 0, 2)))
        if parameter["meaning"]:
            console.print(Padding(Text(_plain(parameter["meaning"])), (0, 0, 0, 6)))
