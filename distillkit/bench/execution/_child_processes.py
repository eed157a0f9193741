"""Start the child process of a job: forked from a process that has done the imports where that can be, spawned elsewhere."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Child", "start_child"]

# -P and the parent's own path: a file json.py in the working folder must not take the place of the library's, and a
# plugin that the parent found must be found
_PRELUDE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
_SPAWN = f"{_PRELUDE}from distillkit.bench.execution._child_main import do_job; do_job(sys.argv[2], int(sys.argv[3]))"
_SERVE = f"{_PRELUDE}from distillkit.bench.execution._fork_server import serve; serve()"
# elsewhere: Windows cannot fork, and what macOS's own libraries do on import does not survive it
_CAN_FORK = sys.platform == "linux"
# what every job imports
_COMMON = frozenset({"numpy", "pandas", "scipy", "sklearn"})


class Child(Protocol):
    """What `subprocess.Popen` offers of a process."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises
        ------
        subprocess.TimeoutExpired
        """


def start_child(folder: Path, threads: int, imports: tuple[str, ...] = ()) -> Child:
    """Start the child that does the job of a folder.

    Parameters
    ----------
    folder : Path
        With job.json in it; what the child prints goes to its log.
    threads : int
        For the numerical libraries.
    imports : tuple of str
        Modules that the job will need and that may be imported before forking.

    Raises
    ------
    OSError
        If no process can be started.
    """
    if _CAN_FORK:
        server = _server(threads, imports)
        with contextlib.suppress(_ServerGone):  # killed from outside: a job does not depend on it
            return server.fork(folder, imports)
        _forget(server)
    return _spawn(folder, threads)


def _spawn(folder: Path, threads: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-c", _SPAWN, json.dumps(_path()), str(folder), str(os.getpid())]
    # the log is a file, since a chatty child would fill a pipe and stall
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(threads),
            start_new_session=True,
        )


def _path() -> list[str]:
    return [entry or str(Path.cwd()) for entry in sys.path]


def _environment(threads: int) -> dict[str, str]:
    names = (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    )
    # OpenMP threads that spin at barriers stall each other wherever cores are shared: gradient boosting on 100 rows took
    # 16 s instead of 2.6 s beside another job. Sleeping at barriers costs next to nothing on a machine of one's own.
    waiting = {"OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
    return {**os.environ, **dict.fromkeys(names, str(threads)), **waiting, "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}


class _ServerGone(Exception):  # noqa: N818 (the caller does without it)
    """The fork server has ended."""


class _Forked:
    """A child of a fork server: the server waits for it and passes on its exit status."""

    def __init__(self) -> None:
        self.pid = 0
        self.error: str | None = None
        self.returncode: int | None = None
        self.started, self.ended = threading.Event(), threading.Event()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self.ended.wait(timeout):
            raise subprocess.TimeoutExpired("job", timeout or 0.0)
        return -9 if self.returncode is None else self.returncode


class _ForkServer:
    """The harness's end of a fork server."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _SERVE, json.dumps(_path())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(threads),
            start_new_session=True,  # a Ctrl-C at the terminal is for the harness
        )
        self._numbers = itertools.count()
        self._asked: dict[int, _Forked] = {}
        self._running: dict[int, _Forked] = {}
        self._gone = False
        self._lock = threading.Lock()
        self._listener = threading.Thread(target=self._listen, daemon=True, name="distillkit-fork-server")
        self._listener.start()

    def fork(self, folder: Path, imports: tuple[str, ...]) -> _Forked:
        child, number = _Forked(), next(self._numbers)
        request = {
            "id": number,
            "folder": str(folder),
            "log": str(folder / "log"),
            "imports": imports,
            "environment": _environment(self.threads),
            "cwd": str(Path.cwd()),
            "path": _path(),
        }
        with self._lock:
            if self._gone:
                raise _ServerGone
            self._asked[number] = child
            try:
                assert self._process.stdin is not None
                self._process.stdin.write(json.dumps(request).encode() + b"\n")
                self._process.stdin.flush()
            except OSError:
                self._asked.pop(number, None)
                raise _ServerGone from None
        child.started.wait()
        if child.error is not None:
            raise OSError(child.error)
        if not child.pid:
            raise _ServerGone
        return child

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout, contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                self._hear(json.loads(line))
        with self._lock:  # its children are gone as well: the kernel kills them with it
            self._gone = True
            for child in (*self._asked.values(), *self._running.values()):
                child.started.set()
                child.returncode = -9
                child.ended.set()
            self._asked.clear()
            self._running.clear()

    def _hear(self, answer: dict[str, Any]) -> None:
        with self._lock:
            if "started" in answer:
                child = self._asked.pop(answer["id"])
                child.pid, child.error = answer["started"] or 0, answer.get("error")
                if child.pid:
                    self._running[child.pid] = child
                child.started.set()
            elif (ended := self._running.pop(answer["ended"], None)) is not None:
                ended.returncode = answer["code"]
                ended.ended.set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
            self._listener.join(5)  # it closes the pipe that it reads from


_servers: dict[tuple[Any, ...], _ForkServer] = {}
_guard = threading.Lock()


def _server(threads: int, imports: tuple[str, ...]) -> _ForkServer:
    """Return the server for jobs that need the same packages: others' imports would count as a job's memory."""
    packages = tuple(sorted({name for name in imports if not name.startswith("distillkit.")} - _COMMON))
    key = (os.getpid(), sys.executable, threads, packages)  # a forked copy of this process must not share its pipe
    with _guard:
        if key not in _servers:
            _servers[key] = _ForkServer(threads)
        return _servers[key]


def _forget(server: _ForkServer) -> None:
    with _guard:
        for key in [key for key, known in _servers.items() if known is server]:
            del _servers[key]
    server.close()


@atexit.register
def _close_all() -> None:
    for key, server in list(_servers.items()):
        if key[0] == os.getpid():
            server.close()
    _servers.clear()
