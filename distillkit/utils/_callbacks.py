"""Support for scikit-learn's callbacks (version 1.9 and later); no effect in older versions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Replacement without callbacks for older versions of scikit-learn."""


from distillkit.utils._progress_task import Task

__all__ = ["SUBTASKS", "CallbackSupportMixin", "callback_context", "report_subtasks"]

SUBTASKS = 100
"""Number of subtasks into which a fit is divided for callbacks, however many steps it takes."""


class _NoCallbacks:
    """A callback context without callbacks."""

    def subcontext(self, **_: Any) -> _NoCallbacks:
        return self

    def propagate_callback_context(self, _: Any) -> nullcontext[None]:
        return nullcontext()

    def call_on_fit_task_begin(self, **_: Any) -> None:
        """Do nothing."""

    def call_on_fit_task_end(self, **_: Any) -> None:
        """Do nothing."""


def callback_context(estimator: Any, *, task_name: str = "fit", max_subtasks: int = 0) -> Any:
    """Start the callbacks registered on `estimator`; `_fit_context` around the caller ends them.

    Parameters
    ----------
    estimator : estimator with `CallbackSupportMixin`
    task_name : str
        Name of the task that starts.
    max_subtasks : int
        Number of tasks within this one; 0 if there are none.

    Returns
    -------
    callback context
    """
    start = getattr(estimator, "_init_callback_context", None)
    return _NoCallbacks() if start is None else start(task_name=task_name, max_subtasks=max_subtasks)


def report_subtasks(estimator: Any, callbacks: Any) -> Callable[[Task], None] | None:
    """Return what tells the callbacks of an estimator about the progress of its fit.

    Parameters
    ----------
    estimator : estimator with `CallbackSupportMixin`
    callbacks : callback context
        Started by `callback_context` with ``max_subtasks=SUBTASKS``.

    Returns
    -------
    callable or None
        To be called with the task of the fit after each update; None without callbacks.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        return None
    done = 0

    def report(task: Task) -> None:
        nonlocal done
        due = int(SUBTASKS * (task.share or 0.0))
        for _ in range(due - done):
            subtask = callbacks.subcontext(task_name="part of the steps")
            subtask.call_on_fit_task_begin(estimator=estimator)
            subtask.call_on_fit_task_end(estimator=estimator)
        done = max(done, due)

    return report
