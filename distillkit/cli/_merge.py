"""The command ``distillkit merge``, which unites results folders."""

from __future__ import annotations

from pathlib import Path

import click

from distillkit.cli._options import plugin_option

__all__ = ["merge"]


@click.command()
@click.argument("results", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the union: a new one, or one of the RESULTS to extend it.",
)
@click.option(
    "--prefer",
    type=click.Path(path_type=Path),
    help="Which of the RESULTS decide where others contradict them; without it, contradictions are errors.",
)
@plugin_option
def merge(results: tuple[Path, ...], output: Path, prefer: Path | None) -> None:
    """Unite the rows, plans, environments, targets and distilled sets of several RESULTS.

    RESULTS are results folders, published sites or files of rows. The leaderboard of the union is
    written as `distillkit report` does.
    """
    from distillkit.bench.results._store import ResultsStore
    from distillkit.bench.sharing._merge import merge as unite
    from distillkit.bench.sharing._row_source import open_source
    from distillkit.cli._report import write_reports

    merged = unite([open_source(path) for path in results], output, prefer)
    for text in merged.resolved:
        click.echo(f"distillkit: note: {text}: {prefer} decides.", err=True)
    click.echo(f"{merged.n_rows} rows of {merged.n_cells} cells in {output}; {merged.n_shared} were there twice")
    write_reports(ResultsStore(output), show=False)
