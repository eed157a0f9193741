"""The command ``distillkit new-plugin``, which writes a working plugin package to start from."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["new_plugin"]


@click.command("new-plugin")
@click.argument("name")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder to create the package in.  [default: the current folder]",
)
def new_plugin(name: str, output: Path) -> None:
    """Write a plugin package called NAME with a working method, its tests and its README."""
    from distillkit.cli._new_plugin import write_plugin

    files = write_plugin(name, output)
    click.echo("wrote " + ", ".join(str(path) for path in files))
