"""Checks of executors: each group runs once, its rows arrive, jobs and interrupts are heeded."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from distillkit.testing._problem import expect
from distillkit.testing._runner import BoundCheck, bound

__all__ = ["executor_checks"]

Run = Callable[..., Any]
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class _NamedCells:
    """A group of cells, as an executor sees it."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class _Runner:
    """Runs a group: notes in a folder when it starts and ends, and returns its rows."""

    folder: Path
    seconds: float = 0.0

    def __call__(self, group: _NamedCells) -> Rows:
        note = f"{group.name}.{os.getpid()}.{time.monotonic_ns()}"
        (self.folder / f"start.{note}").touch()
        time.sleep(self.seconds)
        (self.folder / f"end.{note}").touch()
        return [{"key": cell, "status": "ok", "value": len(cell) / 3} for cell in group.cells]

    def names(self) -> list[str]:
        """Return the names of the groups that have started."""
        return sorted(path.name.split(".")[1] for path in self.folder.glob("start.*"))

    def most_at_once(self) -> int:
        """Return the largest number of groups that ran at the same time."""
        events = [
            (path.stat().st_mtime_ns, 1 if path.name.startswith("start") else -1) for path in self.folder.iterdir()
        ]
        running = most = 0
        for _, change in sorted(events):
            running += change
            most = max(most, running)
        return most


def _groups(n: int) -> list[_NamedCells]:
    return [_NamedCells(f"g{i}", tuple(f"g{i}-cell{j}" for j in range(1 + i % 3))) for i in range(n)]


def check_all_rows(run: Run) -> None:
    """Every group runs once, and each of its rows arrives unchanged, for any number of jobs."""
    for jobs in (1, 3):
        groups = _groups(7)
        with TemporaryDirectory() as folder:
            runner = _Runner(Path(folder))
            found = [list(rows) for rows in run(iter(groups), runner, jobs)]
            expect(
                runner.names() == sorted(group.name for group in groups),
                f"with jobs={jobs} the groups {runner.names()} ran: each must run once",
            )
        expect(len(found) == len(groups), f"{len(groups)} groups gave {len(found)} lists of rows: yield one for each")
        with TemporaryDirectory() as folder:
            expected = [row for group in groups for row in _Runner(Path(folder))(group)]
        flat = sorted((row for rows in found for row in rows), key=lambda row: str(row["key"]))
        expect(flat == sorted(expected, key=lambda row: str(row["key"])), "the rows differ from those of run_group")


def check_nothing_to_do(run: Run) -> None:
    """Without groups it yields nothing and ends."""
    with TemporaryDirectory() as folder:
        found = list(run([], _Runner(Path(folder)), 2))
    expect(found == [], f"without groups it yields {found!r}")


def check_jobs(run: Run) -> None:
    """No more groups run at the same time than `jobs` says."""
    with TemporaryDirectory() as folder:
        runner = _Runner(Path(folder), seconds=0.05)
        list(run(_groups(6), runner, 2))
        most = runner.most_at_once()
    expect(most <= 2, f"{most} groups ran at the same time with jobs=2: limit the number of workers to jobs")


def check_rows_arrive_early(run: Run) -> None:
    """Rows are yielded when their group is done and not at the end of the run."""
    with TemporaryDirectory() as folder:
        runner = _Runner(Path(folder), seconds=0.1)
        with closing(run(_groups(6), runner, 1)) as results:
            next(iter(results))
            started = len(runner.names())
    expect(started < 6, "the first rows came after all groups had started: yield the rows of a group when it is done")


def check_interrupt(run: Run) -> None:
    """Closing the iterator starts no further group, so that Ctrl-C ends a run."""
    with TemporaryDirectory() as folder:
        runner = _Runner(Path(folder), seconds=0.05)
        results = run(_groups(12), runner, 1)
        next(iter(results))
        expect(hasattr(results, "close"), "it must return a generator, whose close() ends the run")
        results.close()
        before = len(runner.names())
        time.sleep(0.3)
        after = len(runner.names())
    expect(
        before == after < 12,
        f"{after} of 12 groups started although the run was closed after the first: cancel those that wait in a "
        "finally block",
    )


CHECKS: tuple[Callable[[Run], None], ...] = (
    check_all_rows,
    check_nothing_to_do,
    check_jobs,
    check_rows_arrive_early,
    check_interrupt,
)


def executor_checks(run: Run) -> list[BoundCheck]:
    """Return the checks of an executor, given as its function."""
    return [(check.__name__, bound(check, run)) for check in CHECKS]
