"""The command ``distillkit report-set``, which reports on one small set beside the real rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from distillkit.cli._completion import Name
from distillkit.cli._options import data_root_option, plugin_option, reading_options

__all__ = ["report_set"]


@click.command("report-set")
@click.argument("small", type=click.Path(path_type=Path))
@click.option(
    "--data",
    "-d",
    "source",
    type=Name("dataset", files=True),
    required=True,
    help="The real rows that the small set was made from: a file, or the name of a dataset.",
)
@click.option("--target", "-t", help="Column of the real rows that holds the target.")
@click.option(
    "--test",
    type=click.Path(path_type=Path),
    help="File of rows that the method has not seen, with the columns of the real ones.  [default: the test rows of "
    "a dataset of images, if it has any]",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="HTML page to write.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark of a CSV file.  [default: .]")
@reading_options
@data_root_option
@plugin_option
def report_set(
    small: Path,
    source: str,
    target: str | None,
    test: Path | None,
    output: Path | None,
    seed: int,
    data_root: Path | None,
    **reading: Any,
) -> None:
    """Report on the small set in the file SMALL beside the real rows.

    SMALL is a file that `distill` wrote, or a table that was made elsewhere. The report shows each
    column, or images and series, on both sides, what a model learns from the small set, how near
    its rows are to the real ones, and what they reveal of them.

    Example: distillkit report-set small.safetensors --data data.csv --target label -o report.html
    """
    from distillkit.exceptions import DataError
    from distillkit.reports import report
    from distillkit.reports._loading import load_both

    if output is not None and output.suffix not in (".html", ".htm"):
        raise DataError(f"--output {output}: the page is HTML, so name a file that ends in .html.")
    reading["drop"] = [name.strip() for names in reading["drop"] for name in names.split(",")]
    options = {key: list(value) if isinstance(value, tuple) else value for key, value in reading.items() if value}
    real, held_out = load_both(source, target, None if test is None else str(test), data_root, options)
    about = report(real, small, target=target, test=held_out, random_state=seed)
    if output is not None:
        about.to_html(output)
    click.echo(str(about))
    if output is not None:
        click.echo(f"\nwrote {output}")
