"""Signals that end a command: the first one ends it in good order, a second one at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["SignalReceived", "explain_stop", "stop_on_signals"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class SignalReceived(KeyboardInterrupt):
    """Raised in the main thread by a signal that ends the process.

    Parameters
    ----------
    number : int
        The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def explain_stop(exc: BaseException) -> tuple[str, int]:
    """Return the sentence and the exit status for a command that was interrupted.

    Parameters
    ----------
    exc : KeyboardInterrupt or click.Abort
        Its notes, or those of its cause, say what was done and how to go on.
    """
    interrupt = exc if isinstance(exc, KeyboardInterrupt) else exc.__cause__ or exc
    number = interrupt.number if isinstance(interrupt, SignalReceived) else signal.SIGINT
    what = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    notes = " ".join(getattr(interrupt, "__notes__", ()))
    return (f"{what}: {notes}" if notes else f"{what}."), 128 + number


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise `SignalReceived` for the first signal in the block, and end the process at the second.

    Signals that the process was started to ignore, as by ``nohup``, stay ignored. After a signal
    the handlers stay, so that a second one during the exit of Python prints no traceback.
    """
    received = False

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal received
        if received:
            _end_at_once(number)
        received = True
        raise SignalReceived(number)

    before = {}
    if threading.current_thread() is threading.main_thread():  # Python handles signals in this thread alone.
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        if not received:
            for number, handler in before.items():
                signal.signal(number, handler)


def _end_at_once(number: int) -> NoReturn:
    """End the process and its children without waiting for anything."""
    with contextlib.suppress(BaseException):  # Nothing may keep the process from ending.
        if (jobs := sys.modules.get("distillkit.bench.execution._job_process")) is not None:
            jobs.kill_children()
        if (folders := sys.modules.get("distillkit.bench.execution._job_folders")) is not None:
            folders.remove_all()
        if os.isatty(2):
            os.write(2, b"\x1b[?25h\n")  # A progress bar hides the cursor.
        os.write(2, b"distillkit: interrupted again: ended at once.\n")
    os._exit(128 + number)
