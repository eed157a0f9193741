"""The options of the command line that choose an engine and set its own options."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any, TypeVar

import click

from distillkit.cli._completion import Name

__all__ = ["engine_options", "parsed_engine_options"]

Command = TypeVar("Command", bound=Callable[..., Any])


def engine_options(command: Command) -> Command:
    """Add the options that choose an engine."""
    options = [
        click.option(
            "--engine",
            "--executor",
            "engine",
            type=Name("executor"),
            help="Engine that runs the cells, see `distillkit list executors`.  [default: the suite's, or local]",
        ),
        click.option(
            "--scheduler",
            "--address",
            "address",
            metavar="ADDRESS",
            help="Address of the cluster, such as tcp://node7:8786; without it, dask and Ray start one here.",
        ),
        click.option(
            "--engine-option",
            multiple=True,
            metavar="NAME=VALUE",
            help="Set an option of the engine, such as partition=gpu; `distillkit show ENGINE` lists them.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def parsed_engine_options(address: str | None, given: tuple[str, ...]) -> dict[str, Any]:
    """Return the options of an engine; values that are no TOML are text.

    Raises
    ------
    click.BadParameter
        If an option has no name or no value.
    """
    options: dict[str, Any] = {} if address is None else {"address": address}
    for text in given:
        name, sign, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not name.isidentifier():
            raise click.BadParameter(f"{text!r}: write NAME=VALUE.", param_hint="--engine-option")
        try:
            options[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            options[name] = value
    return options
