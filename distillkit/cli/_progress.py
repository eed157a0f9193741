"""Shows the progress of a run: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Any, Self

from distillkit.utils._progress_task import format_seconds

__all__ = ["ProgressPrinter", "format_seconds"]

_QUIET_SECONDS = 10.0


class ProgressPrinter:
    """Shows how many cells are done, the status of the last one and the time that is left.

    Parameters
    ----------
    total, done : int
        Number of cells of the plan, and number of those finished before this run.
    jobs : int
        Number of cells that run in parallel, for the title.
    quiet : bool, default=False
        Show nothing.
    """

    def __init__(self, total: int, done: int, jobs: int, *, quiet: bool = False) -> None:
        self.total, self.done, self.jobs, self.quiet = total, done, jobs, quiet
        self.done_before, self.started, self.last_printed = done, time.monotonic(), 0.0
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self.quiet:
            return self
        todo = self.total - self.done
        finished = f", {self.done} were done before" if self.done else ""
        print(f"{todo} of {self.total} cells to run{finished}, {self.jobs} at a time", file=sys.stderr, flush=True)
        if todo and sys.stderr.isatty():
            self._open_bar()
        return self

    def _open_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task("starting", total=self.total, completed=self.done)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def seconds_left(self) -> float:
        """Return the seconds that the remaining cells will take at the average pace of this run."""
        n_finished = self.done - self.done_before
        if not n_finished:
            return float("nan")
        return (time.monotonic() - self.started) / n_finished * (self.total - self.done)

    def advance(self, row: dict[str, Any]) -> None:
        """Count one finished row and show it; this may be called from any thread."""
        with self._lock:
            self.done += 1
            self.counts[row["status"]] += 1
            if self.quiet:
                return
            text = (
                f"{row['dataset']} {row['method']} budget {row['budget']} seed {row['distil_seed']} "
                f"{row['evaluator']}: {row['status']}"
            )
            left = f"{format_seconds(self.seconds_left())} left"
            if self._bar is not None:
                self._bar.update(self._task, completed=self.done, description=f"{left}, {text}")
            elif self._is_due(row["status"]):
                elapsed = format_seconds(time.monotonic() - self.started)
                print(
                    f"[{self.done}/{self.total}] {elapsed} elapsed, about {left}, {text}", file=sys.stderr, flush=True
                )

    def refresh(self) -> None:
        """Do nothing, because each row is shown at once."""

    def _is_due(self, status: str) -> bool:
        """Return whether to print a line: for failures, the last cell, and else at intervals."""
        now = time.monotonic()
        if status == "ok" and self.done < self.total and now - self.last_printed < _QUIET_SECONDS:
            return False
        self.last_printed = now
        return True
