"""Measures and kills a process together with all processes that it has started."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

import psutil

__all__ = ["ProcessTree", "adopt_orphans", "kill_descendants"]

_KILL_SECONDS = 5.0
"""Time after which killing is given up; a process that waits for a broken disk cannot be killed."""

_PAUSE_SECONDS = 0.01
_MEASURING_SHARE = 0.2
"""Greatest share of the time that is spent on measuring memory that processes share."""


def adopt_orphans() -> None:
    """Make this process the parent of all its descendants whose own parent ends, on Linux.

    A process that has been started by an intermediate one, and has left its session, then remains
    a descendant of this process, where it can be found.
    """
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def kill_descendants(spare: Iterable[int] = ()) -> None:
    """Kill the descendants of this process, except the given children and their descendants.

    Parameters
    ----------
    spare : iterable of int
        Process ids of children.
    """
    spared, deadline = set(spare), time.monotonic() + _KILL_SECONDS
    while time.monotonic() < deadline:
        children = _children(psutil.Process(), recursive=False)
        children = [child for child in children if child.pid not in spared and _runs(child)]
        if not children:
            return
        for child in children:  # Killing them may bring their children here, hence the loop.
            ProcessTree(child.pid).kill(deadline - time.monotonic())


class ProcessTree:
    """A process and its descendants.

    Descendants that have been seen once belong to the tree even if their parent has ended and the
    system has given them another one.

    Parameters
    ----------
    pid : int
        Id of the process at the root.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._known: list[psutil.Process] = []  # The root comes first.
        self._next_measurement = 0.0
        with contextlib.suppress(psutil.Error):
            self._known.append(psutil.Process(pid))

    def members(self) -> list[psutil.Process]:
        """Return the processes of the tree that run, the root first if it is among them."""
        found: dict[psutil.Process, None] = {}
        for process in self._known:
            if process not in found and _runs(process):
                found[process] = None
                found |= dict.fromkeys(child for child in _children(process) if _runs(child))
        root = self._known[:1]
        self._known = [*root, *(process for process in found if process not in root)]
        return list(found)

    def memory_mb(self, peak: float = 0.0) -> float:
        """Return the resident memory of the tree in MB, in which shared pages count once.

        This is the sum of the proportional set sizes, on systems without them of the unique set
        sizes, or the resident memory of the largest process, if that is more.

        Parameters
        ----------
        peak : float, default=0.0
            Value above which the result has to be exact. Shared pages take long to find, so they
            are looked for only if the sum over the processes exceeds this value.
        """
        members = self.members()
        sizes = [_resident(process) for process in members]
        total, largest = sum(sizes) / 2**20, max(sizes, default=0) / 2**20
        if len(sizes) < 2 or total <= peak:
            return total
        started = time.monotonic()
        if started < self._next_measurement:
            return largest
        total = sum(map(_proportional, members)) / 2**20
        ended = time.monotonic()
        self._next_measurement = ended + (ended - started) * (1 / _MEASURING_SHARE - 1)
        return max(total, largest)

    def kill(self, seconds: float = _KILL_SECONDS) -> None:
        """Kill all processes of the tree and wait for their end, at most the given time."""
        deadline = time.monotonic() + seconds
        # 1. Stop them all, so that none can start another one while the others are being killed.
        stopped: set[psutil.Process] = set()
        while fresh := [process for process in self.members() if process not in stopped]:
            for process in fresh:
                with contextlib.suppress(psutil.Error, OSError):
                    process.suspend()
            stopped.update(fresh)
            if time.monotonic() > deadline:
                break
        # 2. Kill the root last, because it adopts the orphans of the others.
        for process in reversed(self.members()):
            with contextlib.suppress(psutil.Error, OSError):
                process.kill()
        _kill_group(self.pid)
        while self.members() and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)


def _kill_group(pid: int) -> None:
    """Kill the process group of a child, which has orphans where the system cannot adopt them."""
    if hasattr(os, "killpg") and pid != os.getpgrp():
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def _children(process: psutil.Process, *, recursive: bool = True) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error, OSError):
        return process.children(recursive=recursive)
    return []


def _runs(process: psutil.Process) -> bool:
    """Return whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error, OSError):
        return int(process.memory_info().rss)
    return 0


def _proportional(process: psutil.Process) -> int:
    """Return the memory of a process, in which shared pages are divided among their users."""
    with contextlib.suppress(psutil.Error, OSError):  # Processes of other users cannot be looked into.
        sizes = process.memory_full_info()
        return int(getattr(sizes, "pss", 0) or sizes.uss)
    return _resident(process)
