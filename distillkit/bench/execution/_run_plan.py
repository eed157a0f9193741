"""Runs a plan: skips finished cells, runs the others, and writes one row for each."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any

from distillkit.bench.execution._engine_options import engine_of
from distillkit.bench.execution._group_runner import GroupRunner
from distillkit.bench.execution._job_folders import sweep
from distillkit.bench.execution._rounds import LOST, Rounds
from distillkit.bench.execution._rows import Row
from distillkit.bench.planning._make_plan import Cell, Plan
from distillkit.bench.results._environment import collect_environment, environment_key
from distillkit.bench.results._plan_file import write_united_plan
from distillkit.bench.results._store import ResultsStore

__all__ = ["pending_cells", "run_plan"]


def run_plan(
    plan: Plan,
    store: ResultsStore,
    *,
    jobs: int = 1,
    executor: str | None = None,
    options: Mapping[str, Any] | None = None,
    retry: frozenset[str] = frozenset(),
    on_row: Callable[[Row], None] | None = None,
    ends: float | None = None,
) -> Generator[Row, None, None]:
    """Run the cells that have no row yet, and yield their rows as they finish.

    Groups of cells that an engine has lost, or that another process is at work on, are submitted
    again until they have their rows; those lost three times get rows of crashed cells.

    Parameters
    ----------
    plan : Plan
    store : ResultsStore
        Must be entered as a context, so that it has locked the folder.
    jobs : int, default=1
        Number of cells that run at the same time and share the cores. The rows record it, because
        times measured in parallel are not comparable to those of cells that ran alone. The results
        do not depend on it, because every cell has the number of threads that the suite says.
    executor : str or None
        Registry name of the executor; None takes that of the suite, or else "local".
    options : mapping of str to Any or None
        Options of the executor, beside those of the suite if that names the same executor.
    retry : frozenset of str
        Statuses of rows to run again, such as {"failed", "timeout"}.
    on_row : callable or None
        Called with each row as soon as this process knows it, from the thread that ran it.
    ends : float or None
        Time, in seconds since 1970, after which no further job begins. The cells that are left have
        no row then, and the next run goes on with them.

    Raises
    ------
    SuiteError
        If the executor has no such option.
    """
    run = engine_of(plan.suite, executor, options or {})
    sweep()
    environment = collect_environment()
    store.write_environment(environment_key(environment), environment)
    write_united_plan(plan, store)
    rounds = Rounds(plan, store, pending_cells(plan, store, retry), on_row)
    runner = GroupRunner(
        folder=store.folder.absolute(),
        data_root=plan.data_root,
        seconds=plan.limits.seconds,
        memory_mb=plan.limits.memory_mb,
        threads=plan.suite.threads,
        n_concurrent=jobs,
        environment=environment_key(environment),
        on_row=rounds.tell,
        ends=ends,
    )
    while groups := rounds.groups():
        with closing(run(groups, runner, jobs)) as finished:
            for rows in finished:
                yield from rounds.told(rows)
        if runner.is_over:
            return
        for group in rounds.lost():
            yield from rounds.told(runner.give_up(group, LOST))


def pending_cells(plan: Plan, store: ResultsStore, retry: frozenset[str] = frozenset()) -> list[Cell]:
    """Return the cells that have no row yet, or whose row has a status to run again."""
    rows = store.rows(cell.key for cell in plan.cells)
    return [cell for cell in plan.cells if _is_pending(cell, rows.get(cell.key), retry)]


def _is_pending(cell: Cell, row: Row | None, retry: frozenset[str]) -> bool:
    if row is None or row["status"] in retry:
        return True
    # A cell that an earlier plan left out, say for a missing package, runs if this plan has it.
    return row.get("phase") == "plan" and cell.skip is None and cell.failure is None
