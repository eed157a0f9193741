"""Runs the code of a plugin so that it can neither end the process nor write into its output."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

__all__ = ["SLOW_SECONDS", "ProcessExitError", "contain"]

SLOW_SECONDS = 3.0
"""Seconds after which a plugin that still runs is named."""

_EXITS = ("_exit", "abort")
"""Functions of `os` that end a process without any exception."""


class ProcessExitError(BaseException):
    """Raised in place of an end of the process that nothing could catch."""


@contextmanager
def contain(plugin: str, block: str) -> Iterator[io.StringIO]:
    """Run the block as code of a plugin; what it prints goes into the text buffer that is returned.

    ``os._exit`` and ``os.abort`` raise an exception in this thread. A block that takes longer than
    `SLOW_SECONDS` is named on standard error, with the remedy, while it goes on. A crash in native
    code cannot be contained.

    Parameters
    ----------
    plugin : str
        What to call the plugin in the message.
    block : str
        Value of ``DISTILLKIT_BLOCK_PLUGINS`` that leaves the plugin out.
    """
    output = io.StringIO()
    timer = threading.Timer(SLOW_SECONDS, _tell_slow, [plugin, block])
    timer.daemon = True  # A plugin that hangs must not keep the process alive.
    timer.start()
    try:
        with _exits_raise(), redirect_stdout(output):
            yield output
    finally:
        timer.cancel()


def _tell_slow(plugin: str, block: str) -> None:
    text = (
        f"distillkit: {plugin} has been loading for {SLOW_SECONDS:g} seconds: wait, or interrupt and set "
        f"DISTILLKIT_BLOCK_PLUGINS={block} to leave it out."
    )
    # This is no warning because the plugin may just be suppressing those.
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


@contextmanager
def _exits_raise() -> Iterator[None]:
    """Let the functions in `_EXITS` raise `ProcessExitError` in the block, in this thread."""
    place = (os.getpid(), threading.get_ident())  # A forked child of the plugin ends as it wants to.
    active = True

    def refusing(name: str, real: Any) -> Any:
        def refuse(*args: Any) -> None:
            if active and place == (os.getpid(), threading.get_ident()):
                raise ProcessExitError(f"it called os.{name}({', '.join(map(repr, args))})")
            real(*args)  # The plugin, or a library that it imports, may keep this function.

        return refuse

    real = {name: getattr(os, name) for name in _EXITS}
    refused = {name: refusing(name, function) for name, function in real.items()}
    for name, function in refused.items():
        setattr(os, name, function)
    try:
        yield
    finally:
        active = False
        for name, function in refused.items():
            if getattr(os, name) is function:  # else another thread is in such a block as well
                setattr(os, name, real[name])
