"""The folder of a comparison: that of the user, or one that goes with its leaderboard."""

from __future__ import annotations

import os
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from distillkit.bench.execution._job_folders import job_folder

__all__ = ["ResultsFolder"]


class ResultsFolder:
    """The folder in which a comparison stores its results.

    Parameters
    ----------
    folder : str, Path or None
        None makes a temporary folder, which is removed with the last object that refers to this
        one, at the end of Python, or, if Python was killed, by the next comparison.
    """

    def __init__(self, folder: str | os.PathLike[str] | None) -> None:
        self.is_temporary = folder is None
        self._finalizer: Any = None
        if folder is not None:
            self.path = Path(folder).expanduser().absolute()
            return
        stack = ExitStack()
        self.path = stack.enter_context(job_folder()) / "results"
        self._finalizer = weakref.finalize(self, _close, stack, os.getpid())

    def remove(self) -> None:
        """Remove the folder now, if it is a temporary one."""
        if self._finalizer is not None:
            self._finalizer()


def _close(stack: ExitStack, owner: int) -> None:
    """Remove the folder, but not at the end of a process that was forked from its owner."""
    if os.getpid() == owner:
        stack.close()
