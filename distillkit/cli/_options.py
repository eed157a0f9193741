"""Options that several commands share, and the changes that they make to a suite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from distillkit.cli._completion import Name

if TYPE_CHECKING:
    from distillkit.bench.planning._load_suite import Suite

__all__ = [
    "budget_option",
    "data_root_option",
    "load_narrowed",
    "plugin_option",
    "reading_options",
    "results_folder",
    "suite_options",
]

_LISTS = ("datasets", "methods", "evaluators", "budgets")

Command = TypeVar("Command", bound=Callable[..., Any])

data_root_option = click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    envvar="DISTILLKIT_DATA",
    show_envvar=True,
    help="Folder in which datasets are searched for.",
)


def _use_files(_ctx: click.Context, _param: click.Parameter, paths: tuple[Path, ...]) -> None:
    if paths:
        from distillkit.plugins import use_plugin_files

        use_plugin_files(paths)


plugin_option = click.option(
    "--plugin",
    type=click.Path(path_type=Path),
    multiple=True,
    is_eager=True,
    expose_value=False,
    callback=_use_files,
    metavar="FILE.py",
    help="Use what this Python file with hooks provides (may be repeated).",
)


budget_option = click.option(
    "--budget",
    "-b",
    default="0.1",
    show_default=True,
    help="Size of the distilled set: 10 (rows per class), 0.05 or 5% (of the rows), or cat=3,dog=5.",
)


def reading_options(command: Command) -> Command:
    """Add the options that say how a table is read."""
    options = [
        click.option("--separator", help="Character between the values of a CSV file, or tab.  [default: detected]"),
        click.option("--encoding", help="Encoding of a CSV file, such as latin-1.  [default: UTF-8]"),
        click.option(
            "--missing", multiple=True, metavar="TEXT", help="Text that means a missing value (may be repeated)."
        ),
        click.option("--drop", multiple=True, metavar="COLUMN,...", help="Columns to leave out (may be repeated)."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def suite_options(command: Command) -> Command:
    """Add the options that choose the results folder and narrow a suite."""
    options = [
        click.argument("suite", type=Name("suite", files=True)),
        click.option(
            "--output", "-o", type=click.Path(path_type=Path), help="Results folder.  [default: results/SUITE]"
        ),
        data_root_option,
        plugin_option,
        click.option(
            "--download",
            is_flag=True,
            help="Download missing datasets into the data root, if they offer a download.",
        ),
        click.option(
            "--datasets",
            type=Name("dataset", several=True),
            multiple=True,
            metavar="A,B",
            help="Use only these datasets of the suite.",
        ),
        click.option(
            "--methods",
            type=Name("method", several=True),
            multiple=True,
            metavar="A,B",
            help="Use only these methods; any registered one may be named.",
        ),
        click.option(
            "--evaluators",
            type=Name("evaluator", several=True),
            multiple=True,
            metavar="A,B",
            help="Use only these evaluators; any registered one may be named.",
        ),
        click.option("--budgets", multiple=True, metavar="1,10,5%", help="Use these budgets instead of the suite's."),
        click.option(
            "--seeds", type=click.IntRange(min=1), help="Use this many distillation seeds instead of the suite's."
        ),
        click.option(
            "--splits",
            type=click.IntRange(min=1),
            help="Use this many splits of datasets without test rows of their own, instead of the suite's.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def results_folder(suite_name: str, output: Path | None) -> Path:
    """Return the results folder of a suite."""
    return output if output is not None else Path("results") / suite_name


def load_narrowed(name: str, narrow: dict[str, Any]) -> Suite:
    """Load a suite and apply the options that narrow it.

    These are ``--datasets``, ``--methods``, ``--evaluators``, ``--budgets``, ``--seeds``,
    ``--splits`` and ``--download``. With ``--methods``, no controls are added.
    """
    from distillkit.bench.planning._load_suite import load_suite
    from distillkit.bench.planning._narrowing import narrowed

    lists = {key: _split(narrow[key]) for key in _LISTS if narrow.get(key)}
    return narrowed(load_suite(name), **{**narrow, **dict.fromkeys(_LISTS, ()), **lists})


def _split(given: tuple[str, ...]) -> list[str]:
    """Return the parts of a list that is separated by commas, or given by several options."""
    text = ",".join(given)
    parts = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not parts:
        raise click.UsageError(f"{text!r} names nothing: give one name or several, separated by commas.")
    return parts
