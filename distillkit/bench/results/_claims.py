"""Claims on pieces of work in a results folder, so that no two processes do the same at once."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

__all__ = ["EXPIRY_SECONDS", "Claim", "Claims"]

EXPIRY_SECONDS = 120.0
"""Time without a sign of life after which the owner on another machine counts as dead."""

_BEAT_SECONDS = 10.0
_ATTEMPTS = 5
_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5)

Generation = tuple[int, Path, str]
"""The number, the file and the text of a claim; that of the highest number is the valid one."""


class Claims:
    """The claims in a results folder, ``FOLDER/.claims/KEY.NUMBER`` with one file each.

    A claim is a file that only one process can create. It names its owner, whose thread touches it
    at intervals. An owner is dead if its process is gone from this machine, or if it has not
    touched its claim for `EXPIRY_SECONDS` on another machine, in the time of the file system. The
    claim of a dead owner is superseded by one with the next number.

    Parameters
    ----------
    folder : Path
        The results folder, which all machines share.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / ".claims"

    def take(self, key: str) -> Claim | None:
        """Return the claim on a piece of work, or None while a living process has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(_ATTEMPTS):
            seen = self._generations(key)
            if seen and self._is_alive(seen[-1]):
                return None
            path = self.folder / f"{key}.{seen[-1][0] + 1 if seen else 0}"
            if not _create(path):
                continue
            # Whoever has removed or superseded what was seen may believe to be the owner as well.
            *lower, last = self._generations(key) or [(-1, path, "")]
            if last[1] == path and lower == seen:
                return Claim(path, [file for _, file, _ in lower])
            path.unlink(missing_ok=True)
        return None

    def wait(self, key: str) -> Claim:
        """Return the claim on a piece of work as soon as no other living process has it."""
        pauses = iter(_PAUSES)
        while (claim := self.take(key)) is None:
            time.sleep(next(pauses, _PAUSES[-1]))
        return claim

    def is_held(self, key: str) -> bool:
        """Return whether a living process has the claim."""
        seen = self._generations(key)
        return bool(seen) and self._is_alive(seen[-1])

    def sweep(self) -> bool:
        """Remove the claims of dead owners; return whether there are others."""
        names = _names(self.folder)
        for name in names:
            if name.startswith("."):  # left by a process that was killed while it read the time
                (self.folder / name).unlink(missing_ok=True)
        alive = False
        for key in {name.rpartition(".")[0] for name in names if not name.startswith(".")}:
            claim = self.take(key)
            alive |= claim is None
            if claim is not None:
                claim.release()
        return alive

    def _generations(self, key: str) -> list[Generation]:
        """Return the claims on a piece of work in the order of their numbers."""
        found = []
        for name in _names(self.folder):
            start, _, number = name.rpartition(".")
            if start == key and number.isdecimal():
                with contextlib.suppress(OSError):
                    text = (self.folder / name).read_text(encoding="utf-8", errors="replace")
                    found.append((int(number), self.folder / name, text))
        return sorted(found)

    def _is_alive(self, generation: Generation) -> bool:
        _, path, text = generation
        try:
            owner = json.loads(text)
            if owner["machine"] == _machine():
                return _runs(owner["pid"], owner["created"])
        except (ValueError, LookupError, TypeError):
            pass  # Its owner is just writing it, or was killed while doing so.
        try:
            return self._now() - path.stat().st_mtime < EXPIRY_SECONDS
        except OSError:
            return False

    def _now(self) -> float:
        """Return the time of the file system, because the clocks of machines differ."""
        probe = self.folder / f".{uuid.uuid4().hex}"
        probe.touch()
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink(missing_ok=True)


class Claim:
    """A claim that this process has; as a context, it is released in the end.

    Parameters
    ----------
    path : Path
        File of the claim.
    superseded : list of Path
        Files of the claims of dead owners.
    """

    def __init__(self, path: Path, superseded: list[Path]) -> None:
        self.path, self._superseded = path, superseded
        _Heart.add(self)

    def is_lost(self) -> bool:
        """Return whether another process has superseded this one, which did not run for a while."""
        stem, _, number = self.path.name.rpartition(".")
        return not self.path.exists() or self.path.with_name(f"{stem}.{int(number) + 1}").exists()

    def touch(self) -> None:
        """Show that the owner is alive."""
        with contextlib.suppress(OSError):
            os.utime(self.path)

    def release(self) -> None:
        """Give the claim back."""
        _Heart.remove(self)
        for path in (*self._superseded, self.path):  # The own one is last, as it keeps others away until then.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class _Heart:
    """The thread that touches all claims of this process."""

    _claims: set[Claim] = set()  # noqa: RUF012 (of the process, not of an instance)
    _thread: threading.Thread | None = None
    _lock = threading.Lock()

    @classmethod
    def add(cls, claim: Claim) -> None:
        with cls._lock:
            cls._claims.add(claim)
            if cls._thread is None or not cls._thread.is_alive():
                cls._thread = threading.Thread(target=cls._beat, daemon=True, name="distillkit-claims")
                cls._thread.start()

    @classmethod
    def remove(cls, claim: Claim) -> None:
        with cls._lock:
            cls._claims.discard(claim)

    @classmethod
    def _beat(cls) -> None:
        while True:
            time.sleep(_BEAT_SECONDS)
            with cls._lock:
                claims = list(cls._claims)
            for claim in claims:
                claim.touch()


def _create(path: Path) -> bool:
    """Create the file of a claim; return False if another process was first."""
    owner = {"machine": _machine(), "pid": os.getpid(), "created": _created(os.getpid()), "token": uuid.uuid4().hex}
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(owner, file)
    return True


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 (names alone are needed)
    except FileNotFoundError:
        return []


def _machine() -> list[Any]:
    """Return what tells this machine from others: machines of one name, and containers, differ."""
    return [socket.gethostname(), *_boot()]


@cache
def _boot() -> tuple[str, ...]:
    facts = []
    with contextlib.suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip())
    with contextlib.suppress(OSError):
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return tuple(facts)


def _created(pid: int) -> float:
    return psutil.Process(pid).create_time()


def _runs(pid: int, created: float) -> bool:
    """Return whether a process of this machine runs, and is not another one of the same number."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - created) < 1.0
    except psutil.AccessDenied:
        return True
    except (psutil.Error, TypeError, ValueError):
        return False
