"""The command ``distillkit report``, which rebuilds the leaderboard from the stored rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from distillkit.cli._completion import Name
from distillkit.cli._options import plugin_option

if TYPE_CHECKING:
    from distillkit.bench.leaderboard import LeaderboardData
    from distillkit.bench.results._store import ResultsStore

__all__ = ["report", "write_reports"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    type=Name("reporter"),
    multiple=True,
    help="Run only this reporter (may be repeated); see `distillkit list reporters`.",
)
@plugin_option
def report(folder: Path, formats: tuple[str, ...]) -> None:
    """Rebuild the leaderboard of a results FOLDER from its rows, even if the run is unfinished."""
    from distillkit.bench.results._store import ResultsStore

    write_reports(ResultsStore(folder), show=not formats, formats=formats)


def write_reports(store: ResultsStore, *, show: bool, formats: tuple[str, ...] = ()) -> LeaderboardData:
    """Build the leaderboard of a results folder, run the reporters, and print it with the paths."""
    from rich.console import Console

    from distillkit.bench.leaderboard._from_store import leaderboard_of
    from distillkit.bench.leaderboard._version_notes import made_by_others
    from distillkit.bench.reporters import render_terminal
    from distillkit.bench.reporters._write_all import write_reports as write_all
    from distillkit.utils._versions import __version__

    leaderboard = leaderboard_of(store)
    if (others := made_by_others(leaderboard.rows, leaderboard.environments, __version__)) is not None:
        click.echo(f"distillkit: note: {others}", err=True)
    files = write_all(leaderboard, store.folder, formats)
    # The files come first, so that whatever happens to the output, they are there.
    if show:
        render_terminal(leaderboard, Console())
    click.echo("wrote " + ", ".join(str(path) for path in files))
    return leaderboard
