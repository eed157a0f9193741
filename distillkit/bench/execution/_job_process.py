"""Runs one job in a child process with limits, which always gives exactly one result."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distillkit.bench.execution._child_main import NO_SPACE
from distillkit.bench.execution._child_processes import Child, start_child
from distillkit.bench.execution._job_folders import job_folder
from distillkit.bench.execution._job_log import JobLog
from distillkit.bench.execution._process_tree import ProcessTree
from distillkit.exceptions import ResultsError
from distillkit.utils._disk_full import can_write

__all__ = ["JobInterrupted", "JobResult", "kill_children", "run_job"]

_POLL_SECONDS = 0.05
_WAIT_SECONDS = 5.0
"""Time to wait for the exit status of a child that was killed."""

_PROBE_BYTES = 2**18
"""Room that must be left after a crash, so that a full disk was not its reason."""

_running: dict[int, ProcessTree] = {}
_interrupted: set[int] = set()
_lock = threading.RLock()  # A signal may come while the main thread holds it.


class JobInterrupted(Exception):  # noqa: N818 (an interrupt by the user is no error)
    """The job was ended by `kill_children`, so it has no result and its cells remain unfinished."""


@dataclass(frozen=True)
class JobResult:
    """The result of a job.

    Parameters
    ----------
    status : {"ok", "failed", "timeout", "out_of_memory", "crashed", "skipped"}
    value : dict
        Return value of the job; empty unless the status is "ok".
    error : str or None
        Error in one line. If the child ended without reporting one, the line includes the end of
        its output.
    seconds, peak_mb : float
        Wall-clock seconds, and the peak resident memory in MB of the child and its own children.
    """

    status: str
    value: dict[str, Any]
    error: str | None
    seconds: float
    peak_mb: float


def kill_children() -> None:
    """Kill all running children and their own children.

    Each `run_job` that waits for one of them raises `JobInterrupted`.
    """
    with _lock:
        _interrupted.update(_running)
        for tree in list(_running.values()):
            tree.kill()


def run_job(
    action: str,
    payload: dict[str, Any],
    *,
    seconds: float,
    memory_mb: float,
    threads: int,
    imports: tuple[str, ...] = (),
    results: Path | None = None,
) -> JobResult:
    """Run one of the actions of `distillkit.bench.execution._jobs` in a child process.

    Parameters
    ----------
    action : str
    payload : dict
        Arguments of the action, which must be representable as JSON.
    seconds, memory_mb : float
        Limits on wall-clock time and resident memory; when one is exceeded, the child and all its
        descendants are killed, those in other process groups and sessions included.
    threads : int
        Number of threads for BLAS, OpenMP and torch in the child.
    imports : tuple of str
        Modules that the job needs and that may be imported in advance.
    results : Path or None
        The results folder, which has the objects of the user's own that the payload names.

    Returns
    -------
    JobResult

    Raises
    ------
    JobInterrupted
        If `kill_children` ended the job.
    ResultsError
        If no child process can be started, or if a disk is full. These are problems of the machine
        and not of the job.
    """
    started = time.monotonic()
    with job_folder() as folder:
        job = {
            "action": action,
            "payload": payload,
            "threads": threads,
            "results": None if results is None else str(results),
        }
        child, tree = _start(folder, job, imports)
        log = JobLog(folder / "log")
        try:
            limit, peak = _watch(child, tree, log, started + seconds, memory_mb)
        finally:
            tree.kill()
            code = _exit_status(child)
            with _lock:
                _running.pop(child.pid, None)
                interrupted = child.pid in _interrupted
                _interrupted.discard(child.pid)
        if interrupted:
            raise JobInterrupted
        result = _result(folder, log, code, limit, seconds, memory_mb, peak, time.monotonic() - started)
        _check_space(folder, result, f"{action} {payload.get('method', payload.get('name', ''))}".strip())
        return result


def _start(folder: Path, job: dict[str, Any], imports: tuple[str, ...]) -> tuple[Child, ProcessTree]:
    try:
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        child = start_child(folder, job["threads"], imports)
    except OSError as exc:
        raise ResultsError(f"cannot start a child process: {exc}. Free memory, or space in {folder.parent}.") from exc
    tree = ProcessTree(child.pid)
    with _lock:
        _running[child.pid] = tree
    return child, tree


def _watch(child: Child, tree: ProcessTree, log: JobLog, deadline: float, memory_mb: float) -> tuple[str | None, float]:
    """Wait for the child; return the limit that it exceeded, if any, and its peak memory in MB."""
    peak = 0.0
    while child.poll() is None:
        log.shorten()
        peak = max(peak, tree.memory_mb(peak))
        if peak > memory_mb:
            return "out_of_memory", peak
        if time.monotonic() > deadline:
            return "timeout", peak
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_POLL_SECONDS)
    return None, peak


def _exit_status(child: Child) -> int:
    """Return the exit status of a child that has ended or was killed."""
    try:
        return child.wait(_WAIT_SECONDS)
    except subprocess.TimeoutExpired:  # A process that waits for a broken disk cannot be killed.
        return -int(signal.SIGKILL)


def _result(
    folder: Path,
    log: JobLog,
    code: int,
    limit: str | None,
    seconds: float,
    memory_mb: float,
    peak: float,
    elapsed: float,
) -> JobResult:
    """Return the result that the child wrote, or else one that says how it ended."""
    result: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    peak = max(peak, result.get("peak_mb", 0.0))
    if result:  # The file is renamed into place, so it is complete even if the child crashed afterwards.
        return JobResult(result["status"], result.get("value") or {}, result.get("error"), elapsed, peak)
    if limit == "timeout":
        return JobResult("timeout", {}, f"ran past its limit of {seconds:g} s", elapsed, peak)
    if limit == "out_of_memory":
        return JobResult("out_of_memory", {}, f"used {peak:.0f} MB, over its limit of {memory_mb:g} MB", elapsed, peak)
    tail = log.tail()
    return JobResult("crashed", {}, _cause(code) + (f": {tail}" if tail else ""), elapsed, peak)


def _check_space(folder: Path, result: JobResult, what: str) -> None:
    """Raise an error if a full disk may have been the reason for a result.

    A process without room for its files can end in any way, so that its result says nothing.
    """
    if result.status == NO_SPACE or (result.status == "crashed" and not can_write(folder, _PROBE_BYTES)):
        own = sum(_size(path) for path in folder.rglob("*"))
        raise ResultsError(
            f"no space was left on a disk during the job {what!r}, so nothing is recorded for it ({result.error}). "
            f"Free space in the results folder and in {folder.parent}, where the job itself used "
            f"{own / 2**20:.1f} MB, or set TMPDIR to another folder; then run again."
        )


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.lstat().st_size
    return 0


def _cause(code: int) -> str:
    """Describe an exit status in words."""
    if code >= 0:
        return f"ended with exit status {code} and no result"
    name = next((number.name for number in signal.Signals if number == -code), f"signal {-code}")
    return f"killed by {name}" + (" (the kernel does so where memory runs out)" if name == "SIGKILL" else "")
