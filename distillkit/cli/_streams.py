"""Standard streams that never end a command: closed ones, broken pipes and any encoding."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

__all__ = ["OutputState", "sturdy_streams"]


@dataclass
class OutputState:
    """Whether all output was written.

    Parameters
    ----------
    error : str or None
        Why standard output could not be written, such as a full disk. A reader that has closed its
        end of a pipe is no error.
    """

    error: str | None = None


class _Descriptor(io.FileIO):
    """A stream of the process that discards what can no longer be written."""

    def __init__(self, number: int, state: OutputState | None) -> None:
        super().__init__(number, "w", closefd=False)
        self._state = state

    def write(self, data: Any) -> int:
        try:
            while (written := super().write(data)) is None:  # A non-blocking pipe whose reader is slow.
                select.select([], [self], [])
        except OSError as exc:
            if self._state is not None and not isinstance(exc, BrokenPipeError):
                self._state.error = exc.strerror or str(exc)
            _discard(self.fileno())
            return len(data)
        else:
            return written


def _discard(number: int) -> None:
    """Make a descriptor discard all that is written to it."""
    sink = os.open(os.devnull, os.O_RDWR)
    if sink != number:
        os.dup2(sink, number)
        os.close(sink)


@contextmanager
def sturdy_streams() -> Iterator[OutputState]:
    """Make the standard streams of this process accept everything within the block.

    A closed descriptor is opened on the null device, since the next file that is opened would else
    take its number and receive what is meant for the stream. Characters that the encoding of a
    stream lacks are replaced. Output that cannot be written is discarded, so that a command ends as
    it would have, with its files written.
    """
    state = OutputState()
    _open_closed()
    replaced = {}
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        is_console = sys.platform == "win32" and stream is not None and stream.isatty()  # It takes every character.
        if not is_console and (stream is None or stream is getattr(sys, f"__{name}__")):
            # Any other stream was put in place by the program that calls the command line.
            replaced[name] = stream
            setattr(sys, name, _reopened(stream, number, state if name == "stdout" else None))
    try:
        yield state
    finally:
        for name, stream in replaced.items():
            with suppress(OSError, ValueError):
                getattr(sys, name).flush()
            setattr(sys, name, stream)


def _open_closed() -> None:
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            _discard(number)  # The system gives the lowest free number, which is this one.


def _reopened(stream: Any, number: int, state: OutputState | None) -> io.TextIOWrapper:
    """Return a text stream for a descriptor, with the encoding of the stream that it replaces."""
    if stream is not None:
        with suppress(OSError, ValueError):
            stream.flush()
        with suppress(OSError, ValueError, AttributeError, io.UnsupportedOperation):
            number = stream.fileno()
    raw = _Descriptor(number, state)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors="replace" if state is not None else "backslashreplace",
        line_buffering=raw.isatty() or state is None,
    )
