"""Recognizes errors that report a full disk, which are no fault of the code that met them."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from uuid import uuid4

__all__ = ["can_write", "is_disk_full"]

_NUMBERS = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
_PHRASES = re.compile(
    r"no space left on device|disk quota exceeded|database or disk is full|\d+ requested and \d+ written",
    re.IGNORECASE,
)
"""Messages of the system, of SQLite and of NumPy, whose errors lack the number of the system."""


def is_disk_full(error: BaseException) -> bool:
    """Return whether an error, or one that led to it, reports that a disk or a quota is full."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, OSError) and current.errno in _NUMBERS:
            return True
        try:
            if _PHRASES.search(str(current)[:10_000]):
                return True
        except Exception:  # noqa: S110 (an exception of a plugin may fail to describe itself)
            pass
        todo += [current.__cause__, current.__context__]
    return False


def can_write(folder: Path, n_bytes: int) -> bool:
    """Return whether a folder has room for a file of a given size, by writing one."""
    probe = folder / f".{uuid4().hex}.part"
    try:
        with probe.open("wb") as file:
            file.write(os.urandom(n_bytes))
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        return not is_disk_full(exc)
    finally:
        probe.unlink(missing_ok=True)
    return True
