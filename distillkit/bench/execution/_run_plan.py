"""Runs a plan: skips finished cells, runs the others, and writes one row for each."""

from __future__ import annotations

from collections.abc import Callable, Generator

from distillkit.bench.execution._group_runner import GroupRunner
from distillkit.bench.execution._job_folders import sweep
from distillkit.bench.execution._rows import Row
from distillkit.bench.planning._make_plan import Cell, Plan
from distillkit.bench.results._environment import collect_environment, environment_key
from distillkit.bench.results._plan_file import write_united_plan
from distillkit.bench.results._store import ResultsStore
from distillkit.plugins import get_manager

__all__ = ["pending_cells", "run_plan"]


def run_plan(
    plan: Plan,
    store: ResultsStore,
    *,
    jobs: int = 1,
    executor: str = "local",
    retry: frozenset[str] = frozenset(),
    on_row: Callable[[Row], None] | None = None,
    ends: float | None = None,
) -> Generator[Row, None, None]:
    """Run the cells that have no row yet, and yield their rows as they finish.

    Parameters
    ----------
    plan : Plan
    store : ResultsStore
        Must be entered as a context, so that it has locked the folder.
    jobs : int, default=1
        Number of cells that run at the same time and share the cores. The rows record it, because
        times measured in parallel are not comparable to those of cells that ran alone. The results
        do not depend on it, because every cell has the number of threads that the suite says.
    executor : str, default="local"
        Registry name of the executor.
    retry : frozenset of str
        Statuses of rows to run again, such as {"failed", "timeout"}.
    on_row : callable or None
        Called with each row as soon as it is written, from the thread that ran it.
    ends : float or None
        Time, in seconds since 1970, after which no further job begins. The cells that are left have
        no row then, and the next run goes on with them.
    """
    run = get_manager().get("executor", executor).load()
    sweep()
    environment = collect_environment()
    store.write_environment(environment_key(environment), environment)
    write_united_plan(plan, store)
    pending = pending_cells(plan, store, retry)
    runner = GroupRunner(
        folder=store.folder.absolute(),
        data_root=plan.data_root,
        seconds=plan.limits.seconds,
        memory_mb=plan.limits.memory_mb,
        threads=plan.suite.threads,
        n_concurrent=jobs,
        environment=environment_key(environment),
        on_row=on_row,
        ends=ends,
    )
    for rows in run(plan.groups(pending), runner, jobs):
        yield from rows


def pending_cells(plan: Plan, store: ResultsStore, retry: frozenset[str] = frozenset()) -> list[Cell]:
    """Return the cells that have no row yet, or whose row has a status to run again."""
    rows = store.rows(cell.key for cell in plan.cells)
    return [cell for cell in plan.cells if _is_pending(cell, rows.get(cell.key), retry)]


def _is_pending(cell: Cell, row: Row | None, retry: frozenset[str]) -> bool:
    if row is None or row["status"] in retry:
        return True
    # A cell that an earlier plan left out, say for a missing package, runs if this plan has it.
    return row.get("phase") == "plan" and cell.skip is None and cell.failure is None
