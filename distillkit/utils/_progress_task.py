"""Tasks: loops that report their steps, figures, and the seconds that are left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["SILENT", "Display", "Task", "format_seconds"]


def format_seconds(seconds: float) -> str:
    """Return a duration in seconds as ``1:02:03`` or ``2:03``."""
    minutes, whole_seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole_seconds:02}" if hours else f"{minutes}:{whole_seconds:02}"


class Display(Protocol):
    """What shows tasks: a bar, an element of a notebook, or lines."""

    def show(self, tasks: list[Task]) -> None:
        """Show the open tasks, the outermost one first, unless this was done just before."""

    def finish(self, task: Task) -> None:
        """Show that the outermost task has ended."""

    def close(self) -> None:
        """End the display."""


class Task:
    """A loop whose progress is shown.

    Parameters
    ----------
    name : str
        What is done, such as the name of an estimator.
    unit : str, default="step"
        What is counted.
    max_seconds : float or None, default=None
        Time limit of the loop.
    on_update : callable or None, default=None
        Called after each update, with the task.
    """

    def __init__(
        self,
        name: str,
        unit: str = "step",
        max_seconds: float | None = None,
        on_update: Callable[[Task], None] | None = None,
    ) -> None:
        self.name, self.unit, self.max_seconds, self._on_update = name, unit, max_seconds, on_update
        self.started = time.perf_counter()
        self.step, self.total, self._steps_left = 0, None, math.inf
        self._first: tuple[int, float] | None = None
        self.figures: dict[str, float] = {}

    total: int | None

    def update(
        self,
        step: int,
        total: int | None = None,
        *,
        steps_left: int | None = None,
        seconds: float | None = None,
        time_share: float | None = None,
        **figures: float,
    ) -> None:
        """Report the progress.

        Parameters
        ----------
        step : int
            Steps done.
        total : int or None
            Steps at most; None if their number is not limited.
        steps_left : int or None
            Steps after which the loop ends for another reason, such as patience, unless something
            changes.
        seconds : float or None
            Seconds since the start, if parts of the loop were done in another process.
        time_share : float or None
            Share of a time limit that has passed, if the limit itself is not known here.
        **figures : float
            Figures to show, such as the loss.
        """
        self.step, self.total, self.figures = step, total, figures
        if seconds is not None:
            self.started = time.perf_counter() - seconds
        if time_share:
            self.max_seconds = self.seconds / time_share
        self._steps_left = math.inf if steps_left is None else max(0, steps_left)
        if self._first is None:
            self._first = step, self.seconds
        if self._on_update is not None:
            self._on_update(self)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started

    @property
    def share(self) -> float | None:
        """Share of the steps or of the time that is done, the larger one; None without limits."""
        shares = []
        if self.total:
            shares.append(self.step / self.total)
        if self.max_seconds:
            shares.append(self.seconds / self.max_seconds)
        return min(1.0, max(shares)) if shares else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the first limit ends the loop, at its pace so far; None if not known."""
        left = [] if self.max_seconds is None else [max(0.0, self.max_seconds - self.seconds)]
        steps = min(self._steps_left, math.inf if self.total is None else self.total - self.step)
        if math.isfinite(steps) and (pace := self._seconds_per_step()) is not None:
            left.append(steps * pace)
        return min(left) if left else None

    def _seconds_per_step(self) -> float | None:
        """Return the mean seconds of a step. What precedes the first step does not count."""
        if self._first is None or self.step <= 0:
            return None
        step, seconds = self._first
        if self.step > step:
            return (self.seconds - seconds) / (self.step - step)
        return self.seconds / self.step

    def __str__(self) -> str:
        parts = [f"{self.unit} {self.step:,}" + (f" of {self.total:,}" if self.total is not None else "")]
        parts += [f"{name.replace('_', ' ')} {value:.4g}" for name, value in self.figures.items()]
        parts.append(f"{format_seconds(self.seconds)} elapsed")
        if self.seconds_left is not None:
            parts.append(f"about {format_seconds(self.seconds_left)} left")
        return ", ".join(parts)


class _Silent(Task):
    """A task that nothing shows."""

    def update(
        self,
        step: int,
        total: int | None = None,
        *,
        steps_left: int | None = None,
        seconds: float | None = None,
        time_share: float | None = None,
        **figures: float,
    ) -> None:
        """Do nothing."""


SILENT: Task = _Silent("")
"""Task for loops outside of any `progress_task`."""
