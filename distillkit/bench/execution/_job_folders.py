"""The temporary folders of jobs, which outlive neither the job nor, for long, a killed process."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from distillkit.exceptions import ResultsError

__all__ = ["job_folder", "remove_all", "sweep"]

_PREFIX = "distillkit-job-"
_LOCK = ".lock"
"""Lock file, which has this name only once it is locked: without a lock, its process has ended."""
_UNLOCKED = ".lock.part"
_YOUNG_SECONDS = 5
"""Age below which a folder without lock is never swept, as its process may be about to lock it."""

_present: set[Path] = set()


@contextlib.contextmanager
def job_folder() -> Iterator[Path]:
    """Yield a new temporary folder, and remove it with all that the job left in it.

    A lock, which the kernel releases with the process, marks it as in use.

    Raises
    ------
    ResultsError
        If the folder cannot be made.
    """
    sweep()
    with _creation():
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    _present.add(folder)
    try:
        with _creation():
            lock = (folder / _UNLOCKED).open("w")
        with lock:
            if _try_to_lock(lock):
                with contextlib.suppress(OSError):  # Windows, which has no such locks, renames no open file.
                    (folder / _UNLOCKED).replace(folder / _LOCK)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _present.discard(folder)


@contextlib.contextmanager
def _creation() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise ResultsError(
            f"cannot create a temporary folder: {exc.strerror or exc}. "
            "Free space there, or set TMPDIR to another folder."
        ) from exc


def remove_all() -> None:
    """Remove the folders of this process, which is about to end."""
    for folder in list(_present):
        shutil.rmtree(folder, ignore_errors=True)


@cache
def sweep() -> None:
    """Remove the folders of processes that were killed, once in this process."""
    with contextlib.suppress(OSError, ImportError):
        import fcntl  # noqa: F401 (without locks, as on Windows, nothing says whether a folder is in use)

        for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _remove_if_dead(folder)


def _remove_if_dead(folder: Path) -> None:
    with contextlib.suppress(OSError):
        facts = folder.lstat()
        if facts.st_uid != os.getuid():
            return
        if (folder / _LOCK).exists():
            with (folder / _LOCK).open("r+") as lock:
                if _try_to_lock(lock):
                    shutil.rmtree(folder, ignore_errors=True)
        elif time.time() - facts.st_mtime >= _YOUNG_SECONDS:
            # The process was killed before it had locked the folder, so it put nothing there.
            (folder / _UNLOCKED).unlink(missing_ok=True)
            folder.rmdir()


def _try_to_lock(file: Any) -> bool:
    """Lock a file for this process; return False if another process has locked it."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
