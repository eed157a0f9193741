"""The command ``distillkit publish``, which writes results as a static site."""

from __future__ import annotations

from pathlib import Path

import click

from distillkit.cli._options import plugin_option

__all__ = ["publish"]


@click.command()
@click.argument("site", type=click.Path(path_type=Path))
@click.argument("results", type=click.Path(path_type=Path), nargs=-1)
@click.option("--artefacts", is_flag=True, help="Publish the distilled sets as well, for pictures and loss curves.")
@click.option(
    "--prefer",
    type=click.Path(path_type=Path),
    help="The SITE or which of the RESULTS decides where others contradict it; without it, contradictions are errors.",
)
@plugin_option
def publish(site: Path, results: tuple[Path, ...], artefacts: bool, prefer: Path | None) -> None:
    """Add RESULTS to the folder SITE, and write its pages: an index and a leaderboard per suite.

    The site has one line of JSON per row, and a workflow that verifies the rows that others
    contribute by pull request. Publishing again adds rows. Without RESULTS, the pages are written
    again from the rows that are there.
    """
    from distillkit.bench.sharing._row_source import open_source
    from distillkit.bench.sharing._site import publish as write_site

    outcome = write_site(site, [open_source(path) for path in results], artefacts=artefacts, prefer=prefer)
    for suite, number in outcome.n_rows.items():
        click.echo(f"{suite}: {number:,} rows")
    click.echo(f"{outcome.n_added:,} rows added; open {site / 'index.html'}")
