"""A suite in its results folder: what is to do, the run, and what became of it."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from distillkit.bench.execution._run_plan import pending_cells, run_plan
from distillkit.bench.planning._make_plan import Cell, Plan, make_plan
from distillkit.bench.planning._suite import Suite
from distillkit.bench.results._plan_file import plan_notes, prune_plan, united_with
from distillkit.bench.results._store import ResultsStore

__all__ = ["RunProgress", "SuiteRun"]


class RunProgress(AbstractContextManager[Any], Protocol):
    """Shows how far a run is."""

    def advance(self, row: dict[str, Any]) -> None:
        """Count one row; this may be called from any thread."""

    def refresh(self) -> None:
        """Show what was counted, from the thread that runs the suite."""


class SuiteRun:
    """A suite in its results folder, as the command line and the functions of Python run it.

    Parameters
    ----------
    suite : Suite
    store : ResultsStore
        Entered as a context before `run` and `prune`.
    data_root : Path or None
        Folder in which datasets are searched for; None takes ``DISTILLKIT_DATA``.
    limits : mapping of str to (float or None)
        Limits of each child process that replace those of the suite: ``seconds``, ``memory_mb``.

    Raises
    ------
    DistillkitError
        As by `distillkit.bench.planning._make_plan.make_plan`.
    """

    def __init__(
        self,
        suite: Suite,
        store: ResultsStore,
        data_root: Path | None = None,
        limits: Mapping[str, float | None] | None = None,
    ) -> None:
        self.store = store
        plan = make_plan(suite, data_root)
        changed = {name: value for name, value in (limits or {}).items() if value is not None}
        self.plan: Plan = dataclasses.replace(plan, limits=dataclasses.replace(plan.limits, **changed))

    def prune(self) -> int:
        """Take the cells that the suite does not have off the leaderboard; return their number."""
        return prune_plan(self.plan, self.store)

    def notes(self) -> list[str]:
        """Return in sentences what the folder has beyond the cells of the suite.

        Raises
        ------
        ResultsError
            If earlier results could not stand beside those of a filtered suite.
        """
        return plan_notes(self.plan, united_with(self.plan, self.store))

    def pending(self, retry: frozenset[str] = frozenset()) -> list[Cell]:
        """Return the cells that have no row yet, or whose row has a status to run again."""
        return pending_cells(self.plan, self.store, retry)

    def run(
        self,
        progress: RunProgress,
        *,
        jobs: int = 1,
        executor: str | None = None,
        options: Mapping[str, Any] | None = None,
        retry: frozenset[str] = frozenset(),
        max_seconds: float | None = None,
    ) -> None:
        """Run the cells that are to do.

        Parameters
        ----------
        progress : RunProgress
            It is entered for the time of the run.
        jobs : int
            Number of cells at a time.
        executor : str or None
            Registered name; None takes that of the suite, or else "local".
        options : mapping of str to Any or None
            Options of the executor.
        retry : frozenset of str
            Statuses of rows to run again.
        max_seconds : float or None
            Seconds after which no further job begins.
        """
        ends = None if max_seconds is None else time.time() + max_seconds
        given: dict[str, Any] = {"jobs": jobs, "executor": executor, "options": options, "retry": retry, "ends": ends}
        # On an interrupt, `closing` ends the child processes.
        with progress, closing(run_plan(self.plan, self.store, on_row=progress.advance, **given)) as rows:
            for _ in rows:
                progress.refresh()

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the rows of the cells of the suite that have one, by key."""
        return self.store.rows(cell.key for cell in self.plan.cells)

    def statuses(self) -> Counter[str]:
        """Count the rows of the suite by their status."""
        return Counter(row["status"] for row in self.rows().values())

    @cached_property
    def failures(self) -> dict[str, str]:
        """Why datasets of the suite cannot be read, by label."""
        return {cell.dataset: cell.failure for cell in self.plan.cells if cell.failure}
