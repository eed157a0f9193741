"""The progress of a fit, reported to the user and to scikit-learn's callbacks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distillkit.base._training_rows import Run
from distillkit.utils._callbacks import SUBTASKS, report_subtasks
from distillkit.utils._progress import progress_task, shown_progress

__all__ = ["max_subtasks", "progress_of"]


def max_subtasks(distiller: Any) -> int:
    """Return the number of subtasks of a fit: none for methods that take no steps."""
    return SUBTASKS if "verbose" in distiller.get_params(deep=False) else 0


@contextmanager
def progress_of(distiller: Any, run: Run, callbacks: Any) -> Iterator[None]:
    """Report the progress of a fit within the block, to those who ask for it.

    Parameters
    ----------
    distiller : BaseDistiller
        With ``verbose=True`` the user sees the progress.
    run : Run
        Its `progress` takes the steps of the method.
    callbacks : callback context
        Started with `max_subtasks`.
    """
    report = report_subtasks(distiller, callbacks) if max_subtasks(distiller) else None
    with (
        shown_progress(enabled=_shows(distiller)),
        progress_task(type(distiller).__name__, max_seconds=run.max_seconds, on_update=report) as run.progress,
    ):
        yield


def _shows(distiller: Any) -> bool:
    """Whether this process shows the progress: of those that share a fit, the first one does."""
    if not getattr(distiller, "verbose", False):
        return False
    distributed: Any = sys.modules.get("torch.distributed")
    if getattr(distiller, "processes", None) is None or distributed is None or not distributed.is_available():
        return True
    return not distributed.is_initialized() or distributed.get_rank() == 0
