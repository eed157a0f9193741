"""The progress of long computations, shown while they run.

A loop reports its steps to a `Task`. They are shown while a display is open in the same thread, and
otherwise cost nothing. A loop within a loop is a task of its own, so that a caller shows the
progress of everything that it calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from distillkit.utils._progress_displays import make_display
from distillkit.utils._progress_task import SILENT, Display, Task

__all__ = ["progress_task", "shown_progress"]


class _Open:
    """An open display with its tasks."""

    def __init__(self, display: Display, *, ending: bool) -> None:
        self.display, self.ending = display, ending
        self.tasks, self.thread = list[Task](), threading.get_ident()

    def on_update(self, _: Task) -> None:
        """Show the tasks, from the thread that opened the display alone."""
        if threading.get_ident() == self.thread:
            self.display.show(self.tasks)


_OPEN: ContextVar[_Open | None] = ContextVar("distillkit_progress", default=None)


@contextmanager
def shown_progress(*, enabled: bool = True, ending: bool = True) -> Iterator[None]:
    """Show the progress of the tasks within the block on standard error or in the notebook.

    Within a block of this kind, another one changes nothing. It does not reach other threads and
    processes.

    Parameters
    ----------
    enabled : bool, default=True
        Whether to show anything.
    ending : bool, default=True
        Whether a line remains that says how the outermost task ended.
    """
    if not enabled or _OPEN.get() is not None:
        yield
        return
    display = make_display()
    token = _OPEN.set(_Open(display, ending=ending))
    try:
        yield
    finally:
        _OPEN.reset(token)
        display.close()


@contextmanager
def progress_task(
    name: str,
    unit: str = "step",
    max_seconds: float | None = None,
    on_update: Callable[[Task], None] | None = None,
) -> Iterator[Task]:
    """Report the progress of a loop, which is part of any task around it.

    Parameters
    ----------
    name, unit, max_seconds, on_update
        As for `Task`.

    Yields
    ------
    Task
    """
    opened = _OPEN.get()
    if opened is None or threading.get_ident() != opened.thread:
        yield SILENT if on_update is None else Task(name, unit, max_seconds, on_update)
        return

    def updated(task: Task) -> None:
        opened.on_update(task)
        if on_update is not None:
            on_update(task)

    task = Task(name, unit, max_seconds, updated)
    opened.tasks.append(task)
    if len(opened.tasks) == 1:
        opened.on_update(task)  # a first step may take long
    try:
        yield task
    finally:
        opened.tasks.remove(task)
        if not opened.tasks and opened.ending:
            opened.display.finish(task)
