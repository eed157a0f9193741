"""The main function of the child process that does one job."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from distillkit.bench.execution._process_tree import adopt_orphans, kill_descendants

NO_SPACE = "no_space"
"""Status of a job that met a full disk; it is no status of a cell."""


def _die_with_parent(parent: int) -> None:
    """Make this process end together with its parent, even if the parent is killed by SIGKILL."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # The parent ended before the call above.
        os._exit(1)

    def watch() -> None:  # For systems without a signal on the death of the parent.
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _use_temporary_folder(folder: Path) -> None:
    """Put temporary files of the job below its folder, which is removed even after a kill."""
    folder.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # The fork server may have looked it up already.


def _peak_mb() -> float:
    """Return the peak resident memory of this process in MB; 0 if the system does not report it."""
    # On Linux, getrusage would include the memory of the parent at the time of the fork.
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _status_of(exc: BaseException) -> str:
    """Return the status of a job that ended with an exception."""
    from distillkit.exceptions import BudgetError
    from distillkit.utils._disk_full import is_disk_full
    from distillkit.utils._memory_errors import is_out_of_memory

    if is_disk_full(exc):
        return NO_SPACE
    if isinstance(exc, BudgetError):
        return "skipped"  # The dataset cannot meet this budget, which is no failure of the method.
    with contextlib.suppress(Exception):  # An exception of a plugin may fail to describe itself.
        return "out_of_memory" if is_out_of_memory(exc) else "failed"
    return "failed"


def _perform(folder: Path) -> dict[str, Any]:
    """Do the job described in a folder and return its status with its value or error."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    try:
        from threadpoolctl import threadpool_limits

        from distillkit.bench.execution import _jobs

        if job.get("results") is not None:
            names = [item for item in job["payload"].items() if isinstance(item[1], str)]
            _jobs.register_own(Path(job["results"]), names)
        with threadpool_limits(job["threads"]):
            value = getattr(_jobs, job["action"])(**job["payload"])
        json.dumps(value)  # A value that JSON cannot hold counts as a failure of the job.
    except BaseException as exc:  # Whatever a method raises, SystemExit included, must give a row.
        import traceback

        from distillkit.utils._error_line import error_line

        with contextlib.suppress(Exception):  # The job may have closed its streams, or filled the disk.
            traceback.print_exc()
        return {"status": _status_of(exc), "error": error_line(exc)}
    else:
        return {"status": "ok", "value": value}


def do_job(name: str, parent: int) -> NoReturn:
    """Do the job described in a folder, write its result there, and end the process.

    Parameters
    ----------
    name : str
        Path of the folder, which holds job.json.
    parent : int
        Id of the parent process; this process ends together with it.
    """
    folder = Path(name)
    _die_with_parent(parent)
    adopt_orphans()
    _use_temporary_folder(folder / "tmp")
    result = _perform(folder) | {"peak_mb": _peak_mb()}
    part = folder / "result.json.part"
    part.write_text(json.dumps(result), encoding="utf-8")
    part.replace(folder / "result.json")
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    kill_descendants()
    os._exit(0)  # The result is written, so skip the destructors of native libraries, which may crash.
