"""The command ``distillkit reproduce``, which runs one row again and compares the outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distillkit.cli._options import data_root_option, plugin_option

if TYPE_CHECKING:
    from distillkit.bench.sharing._row_source import RowSource

__all__ = ["reproduce"]


@click.command()
@click.argument("key")
@click.argument("results", type=click.Path(path_type=Path), required=False)
@data_root_option
@plugin_option
def reproduce(key: str, results: Path | None, data_root: Path | None) -> None:
    """Run the cell of the stored row KEY again, and say whether the outcome is identical.

    KEY is the beginning of the key of a row, or the path of its file. RESULTS is a results folder,
    a published site or a file of rows; without it, the folders in ./results are searched.

    The distilled set and every value that is not a time or a size of memory are compared bit for
    bit. The exit status is 0 if all are identical, 1 if any differs, and 2 for an error.
    """
    from distillkit.bench.sharing._reproduction import reproduce as run_again

    row, source = _found(key, results)
    outcome = run_again(row, source, data_root)
    click.echo(f"{row['key']}: {described(row)}")
    click.echo("identical" if outcome.identical else f"{len(outcome.differences)} values differ")
    for difference in outcome.differences:
        click.echo(f"  {difference}")
    if not outcome.identical and not outcome.changes:
        click.echo("  No version, setting or hardware has changed since.")
    for change in outcome.changes:
        click.echo(f"  changed since: {change}")
    for note in outcome.notes:
        click.echo(f"  {note}")
    if not outcome.identical:
        raise click.exceptions.Exit(1)


def described(row: Any) -> str:
    """Return in a line which cell a row is of."""
    split = "" if row.get("split") is None else f" split {row['split']}"
    return (
        f"{row['dataset']}{split}, {row['method']}, budget {row['budget']}, seed {row['distil_seed']}, "
        f"{row['evaluator']}: {row['status']}"
    )


def _found(key: str, results: Path | None) -> tuple[dict[str, Any], RowSource]:
    """Return the row that is asked for, and where it is from."""
    from distillkit.bench.sharing._row_source import find_row, open_source
    from distillkit.exceptions import ResultsError

    path = Path(key)
    if results is None and path.suffix == ".json" and path.is_file():
        source = open_source(path)
        if source.problems:
            raise ResultsError(f"{path} is no results row: {source.problems[0]}")
        return next(iter(source.rows.values())), source
    if path.suffix == ".json" and path.is_file():
        key = path.stem
    if results is not None:
        source = open_source(results)
        return find_row(source, key), source
    folders = [Path()] if Path("plan.json").is_file() or Path("rows").is_dir() else sorted(Path("results").glob("*/"))
    sources = [open_source(folder) for folder in folders if (folder / "plan.json").is_file() or folder == Path()]
    holding = [source for source in sources if any(name.startswith(key) for name in source.rows)]
    if len(holding) != 1:
        where = ", ".join(str(source.path) for source in holding or sources) or "./results"
        state = "several of" if holding else "none of"
        raise ResultsError(f"{state} the results here ({where}) have the row {key}: name their folder after the key.")
    return find_row(holding[0], key), holding[0]
