"""The command ``distillkit run``, which runs or resumes a suite and reports its leaderboard."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from distillkit.cli._engine_options import engine_options, parsed_engine_options
from distillkit.cli._interrupts import note_of_run, noted, remember
from distillkit.cli._options import load_narrowed, results_folder, suite_options

__all__ = ["run"]

_STATUSES = ("failed", "timeout", "out_of_memory", "crashed", "skipped")


@click.command()
@suite_options
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of cells to run in parallel; the results are the same for any number.",
)
@engine_options
@click.option(
    "--retry",
    metavar="STATUS,...",
    help=f"Run cells with these statuses again: {', '.join(_STATUSES)}, or any for all of these.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    help="Wall-clock limit of each child process, in seconds.",
)
@click.option(
    "--memory-limit",
    type=click.FloatRange(min=0, min_open=True),
    help="Memory limit of each child process, in megabytes.",
)
@click.option(
    "--prune",
    is_flag=True,
    help="Take cells of earlier runs that are not in this suite off the leaderboard; their rows stay on disk.",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress, only the leaderboard.")
@click.option("--strict", is_flag=True, help="Exit with status 1 unless every cell is ok, skipped ones included.")
@noted(note_of_run)
def run(
    suite: str,
    output: Path | None,
    data_root: Path | None,
    jobs: int,
    engine: str | None,
    address: str | None,
    engine_option: tuple[str, ...],
    retry: str | None,
    time_limit: float | None,
    memory_limit: float | None,
    prune: bool,
    quiet: bool,
    strict: bool,
    **narrow: Any,
) -> None:
    """Run SUITE (a shipped name or a TOML file) and print its leaderboard.

    Cells that have a row in the results folder already are not run again, so the same command
    resumes an interrupted run. A run that is narrowed by --methods or other options adds its cells
    to those of the folder, and the leaderboard shows all of them. The files written are
    leaderboard.txt, .md, .csv and .html, rows.csv, and one JSON file per cell.

    The exit status is 0 if a cell succeeded, 1 if none did or, with --strict, if any did not, and 2
    for a wrong option, file or name.
    """
    from distillkit.bench.interface._suite_run import SuiteRun
    from distillkit.bench.results._store import ResultsStore
    from distillkit.cli._progress import ProgressPrinter
    from distillkit.cli._report import write_reports

    statuses = _statuses(retry)
    loaded = load_narrowed(suite, narrow)
    store = ResultsStore(results_folder(loaded.name, output))
    whole = SuiteRun(loaded, store, data_root, {"seconds": time_limit, "memory_mb": memory_limit})
    n_cells = len(whole.plan.cells)
    with store:
        if prune:
            click.echo(f"{whole.prune()} cells taken off the leaderboard of {store.folder}.", err=True)
        for note in whole.notes():
            click.echo(f"distillkit: note: {note}", err=True)
        progress = ProgressPrinter(n_cells, n_cells - len(whole.pending(statuses)), jobs, quiet=quiet)
        remember(progress=progress, folder=store.folder)
        options = parsed_engine_options(address, engine_option)
        whole.run(progress, jobs=jobs, executor=engine, options=options, retry=statuses)
        write_reports(store, show=True)
    statuses_of_run = whole.statuses()
    not_ok = statuses_of_run - Counter({"ok": statuses_of_run["ok"]})
    if strict and not_ok:
        counts = ", ".join(f"{number} {status}" for status, number in not_ok.most_common())
        click.echo(f"distillkit: --strict: {not_ok.total()} of {n_cells} cells are not ok ({counts}).", err=True)
    if statuses_of_run["ok"] == 0 or (strict and not_ok):
        raise click.exceptions.Exit(1)


def _statuses(text: str | None) -> frozenset[str]:
    if text is None:
        return frozenset()
    if text.strip() == "any":
        return frozenset(_STATUSES)
    chosen = frozenset(part.strip().replace("-", "_") for part in text.split(","))
    if not chosen <= set(_STATUSES):
        raise click.BadParameter(
            f"{', '.join(sorted(chosen - set(_STATUSES)))}: known are {', '.join(_STATUSES)} and any.",
            param_hint="--retry",
        )
    return chosen
