"""The command ``distillkit verify``, which checks results and runs a sample of them again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from distillkit.cli._options import data_root_option, plugin_option
from distillkit.cli._reproduce import described

if TYPE_CHECKING:
    from distillkit.bench.sharing._verification import Check, Verification

__all__ = ["verify"]


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--sample", type=click.IntRange(min=0), default=5, show_default=True, help="Number of rows to run again.")
@click.option("--all", "every", is_flag=True, help="Run all rows again.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the sample.")
@click.option(
    "--base",
    type=click.Path(path_type=Path),
    help="Results that were verified before, such as the site without a contribution: the sample is drawn from the "
    "rows that are not among them, and none of them may have changed.",
)
@data_root_option
@plugin_option
def verify(results: Path, sample: int, every: bool, seed: int, base: Path | None, data_root: Path | None) -> None:
    """Check the rows and files of RESULTS, and run a random sample of the rows again.

    RESULTS is a results folder, a published site or a file of rows. Every row is checked by its key
    and by its stored predictions, and every file by its checksum. The rows of the sample run again
    and have to be identical, see `distillkit reproduce`. Rows of Python objects that were given to
    `compare` are not checkable, because no row holds them, and change no exit status. It is 0 if
    all is well, 1 if not, and 2 for an error.
    """
    from distillkit.bench.sharing._row_source import open_source
    from distillkit.bench.sharing._verification import verify as check_results

    started = time.monotonic()
    outcome = check_results(
        open_source(results),
        sample=None if every else sample,
        seed=seed,
        base=None if base is None else open_source(base),
        data_root=data_root,
        on_check=_print_check,
    )
    _print_summary(outcome, time.monotonic() - started)
    if not outcome.holds:
        raise click.exceptions.Exit(1)


def _print_check(check: Check) -> None:
    words = {"identical": "PASSED", "different": "FAILED", "error": "ERROR"}
    click.echo(f"{words[check.outcome]} {check.row['key']} {described(check.row)}")
    for reason in check.reasons:
        click.echo(f"    {reason}")


def _print_summary(outcome: Verification, seconds: float) -> None:
    for problem in outcome.problems:
        click.echo(f"FAILED {problem}")
    passed = sum(check.outcome == "identical" for check in outcome.checks)
    failed = len(outcome.checks) - passed + len(outcome.problems)
    for reason, number in outcome.not_checkable.items():
        click.echo(f"NOT CHECKABLE {number:,} rows: {reason}")
    unchecked = sum(outcome.not_checkable.values())
    click.echo(
        f"{outcome.n_rows:,} rows checked, {len(outcome.checks)} run again: {passed} passed, {failed} failed"
        + (f", {unchecked:,} not checkable" if unchecked else "")
        + f" in {seconds:.1f} s"
    )
