"""The child process of a job, started by `distillkit.bench.execution._child_processes` with its folder and its parent's id."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn


def _die_with_parent(parent: int) -> None:
    """End with the harness, also when that is killed with SIGKILL: an orphan would go on computing unseen."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)

    def watch() -> None:  # where there is no such signal
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _peak_mb() -> float:
    with contextlib.suppress(OSError, StopIteration):  # Linux: getrusage would count the parent's memory as of the fork
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _one_line(exc: BaseException) -> str:
    text = " ".join(" ".join([str(exc), *(f"({note})" for note in getattr(exc, "__notes__", ()))]).split())
    return f"{type(exc).__name__}: {text}" if text else type(exc).__name__


def _status_of(exc: BaseException) -> str:
    from distillkit.exceptions import BudgetError

    if isinstance(exc, BudgetError):
        return "skipped"  # the rows cannot meet this budget: nothing failed
    said = str(exc).lower()  # by the GPU's allocator, torch's for the CPU, and the operating system
    phrases = ("out of memory", "can't allocate memory", "cannot allocate memory")
    if isinstance(exc, MemoryError) or any(phrase in said for phrase in phrases):
        return "out_of_memory"
    return "failed"


def _perform(folder: Path) -> dict[str, Any]:
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    try:
        from threadpoolctl import threadpool_limits

        from distillkit.bench.execution import _jobs

        with threadpool_limits(job["threads"]):
            value = getattr(_jobs, job["action"])(**job["payload"])
        json.dumps(value)  # what cannot be told to the parent is a failure of the job
    except BaseException as exc:  # a method may raise anything, SystemExit and KeyboardInterrupt too: still a row
        import traceback

        traceback.print_exc()
        return {"status": _status_of(exc), "error": _one_line(exc)}
    else:
        return {"status": "ok", "value": value}


def do_job(name: str, parent: int) -> NoReturn:
    """Do the job of the folder `name`, leave its result there, and end; `parent` is the process to end with."""
    folder = Path(name)
    _die_with_parent(parent)
    answer = _perform(folder) | {"peak_mb": _peak_mb()}
    part = folder / "result.json.part"
    part.write_text(json.dumps(answer), encoding="utf-8")
    part.replace(folder / "result.json")
    sys.stdout.flush()
    os._exit(0)  # skip the destructors of native libraries: the result is written
