"""The log of a job: the output of its processes, of which only the end is kept."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["JobLog"]

_TAIL_BYTES = 4000
_MAX_BYTES = 2**20
_MAX_CHARACTERS = 800


class JobLog:
    """The file that receives the output of a job.

    The processes of the job append to it, so that it can be shortened while they write.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept = b""

    def shorten(self) -> None:
        """Remove all but the end of the file, if it has grown long."""
        with contextlib.suppress(OSError):
            if self.path.stat().st_size > _MAX_BYTES:
                self._kept = self._end()
                os.truncate(self.path, 0)

    def tail(self) -> str:
        """Return the last lines in one line."""
        lines = self._end().decode(errors="replace").splitlines()
        return " | ".join(line.strip() for line in lines if line.strip())[-_MAX_CHARACTERS:]

    def _end(self) -> bytes:
        """Return the last bytes of the output."""
        text = b""
        with contextlib.suppress(OSError), self.path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            text = file.read(_TAIL_BYTES)
        return (self._kept + text)[-_TAIL_BYTES:]
