"""scikit-learn's callbacks (1.9 and later), or nothing where it has none."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """No callbacks."""


__all__ = ["CallbackSupportMixin", "callback_context"]


class _Silent:
    """A callback context in which nobody listens."""

    def subcontext(self, **_: Any) -> _Silent:
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
    max_subtasks : int
        Tasks inside this one; 0 for a leaf.
    """
    start = getattr(estimator, "_init_callback_context", None)
    return _Silent() if start is None else start(task_name=task_name, max_subtasks=max_subtasks)
