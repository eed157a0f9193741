"""The command ``distillkit distill``, which distils one dataset with one method into one file."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from distillkit.cli._completion import Name
from distillkit.cli._interrupts import note_of_distillation, noted, remember
from distillkit.cli._options import budget_option, data_root_option, plugin_option, reading_options

__all__ = ["distill", "parse_params"]


@click.command()
@click.argument("method", type=Name("method"))
@click.argument("source", type=Name("dataset", files=True))
@click.option("--target", "-t", help="Column that holds the target; without it, the rows are distilled without one.")
@budget_option
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write: .safetensors, .csv, .parquet or .npz.",
)
@click.option(
    "--param", "-p", "params", multiple=True, metavar="NAME=VALUE", help="Parameter of the method (may be repeated)."
)
@click.option(
    "--task",
    type=click.Choice(["auto", "classification", "regression"]),
    default="auto",
    show_default=True,
    help="Whether the target is a class label or a number.",
)
@click.option(
    "--standardize/--no-standardize",
    default=None,
    help="Distil in standardized units; the rows written are in the original units.  [default: not for images]",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed.")
@click.option(
    "--max-seconds",
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="Wall-clock limit in seconds, for `auto` and methods that take steps.",
)
@click.option("--privacy", is_flag=True, help="With `auto`: leave out methods that reveal training rows.")
@click.option("--labels", type=click.Choice(["hard", "soft"]), help="With `auto`: kind of labels.  [default: hard]")
@click.option("--estimator", type=Name("evaluator"), help="With `auto`: model for which the rows are chosen.")
@click.option(
    "--decimal", type=click.Choice([".", ","]), default=".", show_default=True, help="Decimal mark of a CSV file."
)
@reading_options
@click.option("--weight", metavar="COLUMN", help="Column of the weights of the rows.  [default: sample_weight, if any]")
@click.option("--no-weight", is_flag=True, help="Read a column sample_weight as data.")
@click.option(
    "--soft-labels/--no-soft-labels",
    default=True,
    help="Leave out columns with the soft labels of a distilled set, or read them as data.  [default: leave out]",
)
@click.option("--download", is_flag=True, help="Download a named dataset into the data root if it is not there.")
@data_root_option
@noted(note_of_distillation)
@plugin_option
def distill(
    method: str,
    source: str,
    target: str | None,
    budget: str,
    output: Path,
    params: tuple[str, ...],
    task: str,
    standardize: bool | None,
    seed: int,
    max_seconds: float | None,
    privacy: bool,
    labels: str | None,
    estimator: str | None,
    data_root: Path | None,
    missing: tuple[str, ...],
    drop: tuple[str, ...],
    weight: str | None,
    no_weight: bool,
    **reading: Any,
) -> None:
    """Distil SOURCE with METHOD and write the small set.

    SOURCE is a .csv, .tsv, .parquet, .npz or .ts file, or the name of a dataset, of which the
    training rows are taken. The rows written are in the units, shape and columns of SOURCE. The
    METHOD `auto` tries the others within the seconds given and reports what it found.

    Example: distillkit distill auto data.csv --target label --budget 5% --seconds 60 -o small.csv
    """
    from distillkit.budget import Budget
    from distillkit.cli._single import check_output, check_weights, distil_rows, make_distiller
    from distillkit.cli._target_hint import describe_missing_target
    from distillkit.datasets import load_rows
    from distillkit.utils._progress import shown_progress
    from distillkit.utils._targets import describe_task

    check_output(output, source)
    common = {"max_seconds": max_seconds, "task": None if task == "auto" else task, "random_state": seed}
    wishes = {"privacy": privacy or None, "labels": labels, "estimator": estimator}
    given = parse_params(params) | {name: value for name, value in wishes.items() if value is not None}
    distiller = make_distiller(method, Budget.parse(budget), given, common)
    if no_weight and weight is not None:
        raise click.UsageError("--weight names a column of weights, and --no-weight says that there is none: give one.")
    reading |= {"missing": missing, "drop": [name.strip() for names in drop for name in names.split(",")]}
    reading["weight"] = False if no_weight else weight
    remember(distiller=distiller)
    X, y, weights = load_rows(source, target=target, root=data_root, return_weight=True, **reading)
    check_weights(distiller, X, weights, method, output)
    started = time.perf_counter()
    # Files and pipes get no lines of progress, which would hide the warnings.
    with shown_progress(enabled=sys.stderr is not None and sys.stderr.isatty(), ending=False):
        small = distil_rows(distiller, X, y, weights, standardize=X.ndim < 4 if standardize is None else standardize)
    seconds = time.perf_counter() - started
    small.save(output, target or "target")
    if (report := getattr(distiller, "report_", None)) is not None:
        click.echo(f"{report}\n")
    click.echo(f"{len(small)} of {len(X)} rows ({len(small) / len(X):.2%}) in {seconds:.2f} s, written to {output}")
    if task == "auto" and y is not None and (description := describe_task(y, "--task")):
        click.echo(f"task: {description}")
    if y is None and hasattr(X, "columns"):
        click.echo(f"target: {describe_missing_target(X)}")


def parse_params(params: tuple[str, ...]) -> dict[str, Any]:
    """Parse ``name=value`` pairs; values that are not valid TOML are taken as text."""
    from distillkit.utils._file_bounds import parsed_toml

    parsed: dict[str, Any] = {}
    for text in params:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint="--param")
        try:
            parsed[name.strip()] = parsed_toml(f"value = {value}")["value"]
        except ValueError:
            parsed[name.strip()] = value
    return parsed
