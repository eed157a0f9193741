"""The command ``distillkit plan``, which shows what a run would do without running anything."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distillkit.cli._options import load_narrowed, results_folder, suite_options

if TYPE_CHECKING:
    from distillkit.bench.planning._make_plan import Cell, Plan
    from distillkit.bench.results._store import ResultsStore

__all__ = ["plan"]


@click.command()
@suite_options
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of cells to run in parallel, for the forecast.",
)
@click.option("--cells", is_flag=True, help="List every cell.")
def plan(suite: str, output: Path | None, data_root: Path | None, jobs: int, cells: bool, **narrow: Any) -> None:
    """Show which cells of SUITE are to run, done or skipped, and a forecast of the run time."""
    from distillkit.bench.interface._suite_run import SuiteRun
    from distillkit.bench.planning._forecast import forecast
    from distillkit.bench.results._store import ResultsStore
    from distillkit.cli._progress import format_seconds

    loaded = load_narrowed(suite, narrow)
    store = ResultsStore(results_folder(loaded.name, output))
    whole = SuiteRun(loaded, store, data_root)
    suite_plan, rows = whole.plan, whole.rows()
    pending = {cell.key for cell in whole.pending()}
    states = {cell.key: _state(cell, cell.key in pending, rows.get(cell.key)) for cell in suite_plan.cells}
    if cells:
        _print_cells(suite_plan, states)
    counts = Counter(states.values())
    click.echo(f"{suite_plan.suite.name}: {len(suite_plan.cells)} cells in {store.folder}")
    for state in ("to run", "done", "done, not ok", "failed", "skipped"):
        if counts[state]:
            click.echo(f"  {state:14}{counts[state]:>6}")
    for line in _dataset_lines(suite_plan, store):
        click.echo(f"  {line}")
    for reason, number in Counter(cell.skip for cell in suite_plan.cells if cell.skip).most_common():
        click.echo(f"  skipped: {reason} ({number} cells)")
    for reason, number in Counter(cell.failure for cell in suite_plan.cells if cell.failure).most_common():
        click.echo(f"  failed: {reason} ({number} cells)")
    for note in whole.notes():
        click.echo(f"  {note}")
    todo = [cell for cell in suite_plan.cells if states[cell.key] == "to run"]
    seconds, known = forecast(todo, store.rows().values())
    if not todo:
        click.echo("nothing to run")
    elif known == 0:
        click.echo("time: not known yet, because no similar cell has finished in this folder")
    else:
        basis = "" if known == len(todo) else f"; {len(todo) - known} cells without similar ones use the mean of all"
        click.echo(f"time: about {format_seconds(seconds / jobs)}, estimated from finished cells{basis}")


def _dataset_lines(suite_plan: Plan, store: ResultsStore) -> list[str]:
    """Describe the splits of each dataset, its primary metric, and test rows seen in training."""
    from distillkit.bench.planning._primary import DEFAULT_METRICS, with_primary

    cells_of: dict[str, list[Cell]] = {}
    for cell in suite_plan.cells:
        cells_of.setdefault(cell.dataset, []).append(cell)
    lines = []
    for dataset, cells in cells_of.items():
        if cells[0].failure:
            continue
        splits = {cell.split for cell in cells}
        facts = {cell.data_key: store.targets(cell.data_key) for cell in cells}
        known = [found for found in facts.values() if found is not None]
        primary = with_primary(cells[0].identity(), known[0] if known else None)["primary"]
        parts = [
            f"{len(splits)} split{'s' if len(splits) > 1 else ''}" if None not in splits else "test rows of its own",
            f"ranked by {primary or ' or '.join(DEFAULT_METRICS[cells[0].task])}",
        ]
        if shared := max((found["shared_rows"] for found in known), default=0):
            parts.append(f"up to {shared} test rows equal a training row")
        lines.append(f"{dataset}: {', '.join(parts)}")
    return lines


def _state(cell: Cell, pending: bool, row: dict[str, Any] | None) -> str:
    if cell.failure:
        return "failed"
    if cell.skip:
        return "skipped"
    if pending or row is None:
        return "to run"
    return {"ok": "done", "skipped": "skipped"}.get(row["status"], "done, not ok")


def _print_cells(suite_plan: Plan, states: dict[str, str]) -> None:
    for cell in suite_plan.cells:
        click.echo(
            f"{cell.key}  {states[cell.key]:13} {cell.dataset}{_split(cell)}  {cell.method}  budget {cell.budget}  "
            f"seed {cell.distil_seed}  {cell.evaluator}  seed {cell.eval_seed}"
        )


def _split(cell: Cell) -> str:
    return "" if cell.split is None else f"  split {cell.split}"
