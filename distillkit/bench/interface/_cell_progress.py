"""Shows the progress of a comparison in a script or a notebook, as the distillers show theirs."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from distillkit.utils._progress import progress_task, shown_progress

__all__ = ["CellProgress"]


class CellProgress:
    """Counts the finished cells of a run.

    A terminal shows a bar, a notebook a bar in the output of its cell, and any other output gets a
    line every ten seconds, with the time that is left.

    Parameters
    ----------
    name : str
        Name of the run.
    total, done : int
        Number of cells, and of those that were finished before.
    verbose : bool
        Whether to show anything.
    """

    def __init__(self, name: str, total: int, done: int, *, verbose: bool) -> None:
        self.name, self.total, self.done, self.verbose = name, total, done, verbose
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._task: Any = None

    def __enter__(self) -> Self:
        if self.verbose and self.done < self.total:
            self._stack.enter_context(shown_progress())
            self._task = self._stack.enter_context(progress_task(self.name, "cell"))
            self.refresh()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def advance(self, row: dict[str, Any]) -> None:
        """Count one row; this may be called from any thread."""
        with self._lock:
            self.done += 1
            self.counts[row["status"]] += 1

    def refresh(self) -> None:
        """Show what was counted."""
        if self._task is not None:
            failed = {status: number for status, number in self.counts.items() if status not in ("ok", "skipped")}
            self._task.update(self.done, self.total, **failed)
