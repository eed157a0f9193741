"""The command ``distillkit new-plugin``, which writes a working plugin package to start from."""

from __future__ import annotations

from pathlib import Path

import click

from distillkit.cli._plugin_kinds import PLUGIN_KINDS

__all__ = ["new_plugin"]


@click.command("new-plugin")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(tuple(PLUGIN_KINDS)),
    default="method",
    show_default=True,
    help="What the package provides.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder to create the package in.  [default: the current folder]",
)
def new_plugin(name: str, kind: str, output: Path) -> None:
    """Write a plugin package that provides NAME, with working code, its tests and its README.

    Example: distillkit new-plugin half-circles --kind dataset
    """
    from distillkit.cli._new_plugin import write_plugin

    files = write_plugin(name, output, kind)
    click.echo("wrote " + ", ".join(str(path) for path in files))
