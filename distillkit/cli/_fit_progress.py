"""Shows the progress of a single distillation on a terminal: steps, loss and the time left."""

from __future__ import annotations

import math
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from distillkit.cli._progress import format_seconds

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["FitProgress", "Pace"]

_SECONDS_BEFORE = 2.0
"""Seconds before anything is shown, so that short fits show nothing."""
_SECONDS_BETWEEN = 0.25


@dataclass
class Pace:
    """The progress of one run, from its steps and its time limit.

    Parameters
    ----------
    run : Run
    """

    run: Run

    def __post_init__(self) -> None:
        # A fit that goes on from a checkpoint does not begin at step 0.
        self._first_step, self._first_second = self.run.n_iter, self.run.seconds

    def share(self) -> float | None:
        """Return the share of the run that is done; None if its end is not known."""
        shares = [self._share_of_steps()]
        if self.run.max_seconds:
            shares.append(self.run.seconds / self.run.max_seconds)
        known = [share for share in shares if share is not None]
        return min(1.0, max(known)) if known else None

    def _share_of_steps(self) -> float | None:
        if self.run.n_steps:
            return self.run.n_iter / self.run.n_steps
        if self.run.n_groups > 1:
            done = sum("label" in step for step in list(self.run.history))
            return done / self.run.n_groups if done else None
        return None

    def seconds_left(self) -> float | None:
        """Return the seconds until the steps or the time limit end; None if it is not known."""
        ends = []
        if self.run.max_seconds:
            ends.append(max(0.0, self.run.max_seconds - self.run.seconds))
        steps = self.run.n_iter - self._first_step
        if self.run.n_steps and steps > 0:
            seconds = self.run.seconds - self._first_second
            ends.append(seconds / steps * (self.run.n_steps - self.run.n_iter))
        elif not self.run.n_steps and (share := self._share_of_steps()):
            ends.append(self.run.seconds * (1 - share) / share)
        return min(ends) if ends else None

    def text(self) -> str:
        """Return steps, loss and time left in words."""
        parts = []
        if self.run.n_iter:
            parts.append(f"step {self.run.n_iter}" + (f" of {self.run.n_steps}" if self.run.n_steps else ""))
        loss = self.run.history[-1].get("loss") if self.run.history else None
        if isinstance(loss, float) and math.isfinite(loss):
            parts.append(f"loss {loss:.4g}")
        left = self.seconds_left()
        parts.append(f"{format_seconds(self.run.seconds)} elapsed")
        if left is not None:
            parts.append(f"about {format_seconds(left)} left")
        return ", ".join(parts)


class FitProgress:
    """Context that shows the progress of the fits within it, if standard error is a terminal.

    Parameters
    ----------
    title : str
        What is fitted.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._paces: list[Pace] = []
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from distillkit.base._training_rows import observe_runs

            self._stack.enter_context(observe_runs(lambda run: self._paces.append(Pace(run))))
            self._thread = threading.Thread(target=self._show, daemon=True, name="distillkit-progress")
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._stack.close()
        if self._thread is not None:
            self._thread.join()

    def pace(self) -> Pace | None:
        """Return the outermost run whose end is known, or else the first one."""
        known = (pace for pace in self._paces if pace.share() not in (None, 1.0))
        return next(known, self._paces[0] if self._paces else None)

    def _show(self) -> None:
        """Show a bar until the context ends, in a thread of its own."""
        if self._ended.wait(_SECONDS_BEFORE):
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        started = time.perf_counter() - _SECONDS_BEFORE
        columns = (TextColumn("{task.fields[title]}"), BarColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
            task = bar.add_task("", total=None, title=self.title)
            while not self._ended.wait(_SECONDS_BETWEEN):
                pace = self.pace()
                text = pace.text() if pace else f"{format_seconds(time.perf_counter() - started)} elapsed"
                share: Any = pace.share() if pace else None
                bar.update(task, total=None if share is None else 1.0, completed=share or 0.0, description=text)
