"""Displays of progress: a bar on a terminal, an element in a notebook, and lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any, TextIO

from distillkit.utils._progress_task import format_seconds

if TYPE_CHECKING:
    from distillkit.utils._progress_task import Display, Task

__all__ = ["Lines", "Notebook", "Terminal", "make_display"]

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_REDRAWS = 0.1
_SECONDS_BEFORE_INNER = 1.0
"""Inner tasks that are shorter than this are not shown, since they would only flicker."""


def make_display() -> Display:
    """Return the display that suits the place in which the program runs."""
    if _is_notebook():
        return Notebook()
    stream = sys.stderr
    if stream is not None and stream.isatty():
        return Terminal()
    return Lines(stream)


def _is_notebook() -> bool:
    """Whether the program runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def _shown(tasks: list[Task]) -> list[Task]:
    """Return the outermost task, and the inner ones that take long."""
    return [task for i, task in enumerate(tasks) if i == 0 or task.seconds >= _SECONDS_BEFORE_INNER]


def _ended(task: Task) -> str:
    figures = "".join(f", {name.replace('_', ' ')} {value:.4g}" for name, value in task.figures.items())
    steps = f"{task.unit} {task.step:,}, " if task.step else ""
    return f"{task.name}: ended, {steps}{format_seconds(task.seconds)} elapsed{figures}"


class Lines:
    """Prints a line every ten seconds, and one at the end.

    Parameters
    ----------
    stream : text stream or None
        None prints nothing.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream, self._printed = stream, time.perf_counter()

    def show(self, tasks: list[Task]) -> None:
        """Print a line if the last one is ten seconds old."""
        now = time.perf_counter()
        if now - self._printed >= _SECONDS_BETWEEN_LINES:
            self._printed = now
            self._print("; ".join(f"{task.name}: {task}" for task in _shown(tasks)))

    def finish(self, task: Task) -> None:
        """Print that the task has ended."""
        self._print(_ended(task))

    def _print(self, line: str) -> None:
        with suppress(OSError, ValueError):  # a stream that was closed must not end the computation
            if self.stream is not None:
                self.stream.write(line + "\n")
                self.stream.flush()

    def close(self) -> None:
        """Do nothing."""


class Terminal:
    """Shows one bar for each open task, and a line at the end.

    A terminal has room for one set of bars at a time. Where others are shown already, for example
    by a callback of scikit-learn, lines are printed instead.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), _text_column())
        self._bars = Progress(*columns, console=self._console, transient=True)
        self._lines: Lines | None = None
        self._ids: dict[Task, Any] = {}
        self._drawn = 0.0

    def show(self, tasks: list[Task]) -> None:
        """Update the bars, at most ten times a second."""
        if not self._opened():
            assert self._lines is not None
            self._lines.show(tasks)
            return
        now = time.perf_counter()
        if now - self._drawn < _SECONDS_BETWEEN_REDRAWS:
            return
        self._drawn = now
        shown = _shown(tasks)
        for task in [task for task in self._ids if task not in shown]:
            self._bars.remove_task(self._ids.pop(task))
        for task in shown:
            if task not in self._ids:
                self._ids[task] = self._bars.add_task(_plain(task.name), total=None, shown=task)
            share = task.share
            self._bars.update(self._ids[task], total=None if share is None else 1.0, completed=share or 0.0)
        self._bars.refresh()

    def _opened(self) -> bool:
        """Start the bars unless they are shown; return whether there is room for them."""
        if self._lines is None and not self._bars.live.is_started:
            try:
                self._bars.start()
            except Exception:  # other bars are shown
                self._lines = Lines(sys.stderr)
        return self._lines is None

    def finish(self, task: Task) -> None:
        """Print that the task has ended, in place of the bars."""
        self.close()
        self._console.print(_ended(task), markup=False, highlight=False)

    def close(self) -> None:
        """Remove the bars."""
        for identifier in self._ids.values():
            self._bars.remove_task(identifier)
        self._ids.clear()
        if self._bars.live.is_started:
            self._bars.stop()


def _text_column() -> Any:
    """Return a column with the text of a task, which grows older between two updates."""
    from rich.progress import ProgressColumn
    from rich.table import Column
    from rich.text import Text

    class TaskText(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(str(task.fields["shown"]))

    return TaskText(Column(no_wrap=True))


def _plain(text: str) -> str:
    """Return a text whose brackets are not markup."""
    from rich.markup import escape as escape_markup

    return escape_markup(text)


class Notebook:
    """Shows bars in the output of a cell, which needs no extension of Jupyter."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = 0.0

    def show(self, tasks: list[Task]) -> None:
        """Update the element, at most twice a second."""
        now = time.perf_counter()
        if now - self._drawn >= 5 * _SECONDS_BETWEEN_REDRAWS:
            self._drawn = now
            self._display("".join(_bar(task) for task in _shown(tasks)))

    def finish(self, task: Task) -> None:
        """Leave a line in place of the bars."""
        self._display(f"<div>{escape(_ended(task))}</div>")

    def _display(self, html: str) -> None:
        from IPython.display import HTML, display

        if self._handle is None:
            self._handle = display(HTML(html), display_id=True)
        else:
            self._handle.update(HTML(html))

    def close(self) -> None:
        """Do nothing."""


def _bar(task: Task) -> str:
    share = task.share
    value = "" if share is None else f' value="{share:.3f}"'
    return f"<div>{escape(task.name)} <progress{value}></progress> {escape(str(task))}</div>"
