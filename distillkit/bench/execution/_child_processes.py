"""Starts the child process of a job, through a fork server where possible and else by spawning."""

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

from distillkit.plugins._files import FILES_VARIABLE
from distillkit.plugins._pinned import pinned_files

__all__ = ["Child", "start_child"]

# With -P and the sys.path of the parent, a file json.py in the working folder cannot shadow the
# standard library, and the child finds the same plugins as the parent.
_PRELUDE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
_SPAWN = f"{_PRELUDE}from distillkit.bench.execution._child_main import do_job; do_job(sys.argv[2], int(sys.argv[3]))"
_SERVE = f"{_PRELUDE}from distillkit.bench.execution._fork_server import serve; serve()"
_CAN_FORK = sys.platform == "linux"
"""Whether to use fork servers; Windows has no fork, and libraries of macOS do not survive one."""

_COMMON = frozenset({"numpy", "pandas", "scipy", "sklearn"})
"""Packages that every job imports."""


class Child(Protocol):
    """The part of `subprocess.Popen` that a running child process offers."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while the process runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process and return its exit status.

        Raises
        ------
        subprocess.TimeoutExpired
            If the process still runs after `timeout` seconds.
        """


def start_child(folder: Path, threads: int, imports: tuple[str, ...] = ()) -> Child:
    """Start the child process that does the job described in a folder.

    Parameters
    ----------
    folder : Path
        Folder that holds job.json; the output of the child is written to its file ``log``.
    threads : int
        Number of threads for the numerical libraries.
    imports : tuple of str
        Modules that the job needs and that may be imported before forking.

    Raises
    ------
    OSError
        If no process can be started.
    """
    if _CAN_FORK:
        server = _server(threads, imports)
        with contextlib.suppress(_ServerEndedError):  # The server was killed from outside; spawn instead.
            return server.fork(folder, imports)
        _discard_server(server)
    return _spawn(folder, threads)


def _spawn(folder: Path, threads: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-c", _SPAWN, json.dumps(_import_path()), str(folder), str(os.getpid())]
    # The log is a file because a child that prints much would fill a pipe and block.
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(threads),
            start_new_session=True,
        )


def _import_path() -> list[str]:
    """Return sys.path with the working folder in full."""
    return [entry or str(Path.cwd()) for entry in sys.path]


def _environment(threads: int) -> dict[str, str]:
    names = (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    )
    # OpenMP threads that spin at barriers slow each other down severely when jobs share the cores.
    # Sleeping at barriers costs almost nothing when a job has the machine to itself.
    wait_policy = {"OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
    # A job runs the plugin files as this process has read them, even if they are edited meanwhile.
    files = pinned_files()
    return {
        **os.environ,
        **({FILES_VARIABLE: os.pathsep.join(files)} if files else {}),
        **dict.fromkeys(names, str(threads)),
        **wait_policy,
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "agg",
    }


class _ServerEndedError(Exception):
    """The fork server has ended."""


class _Forked:
    """A child process of a fork server, which waits for it and passes on its exit status."""

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
    """The client of a fork server, on the side of the process that runs the suite.

    The states of a child are kept in two tables: those requested, by the number of the request, and
    those running, by process id. A thread reads the answers of the server and updates them.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _SERVE, json.dumps(_import_path())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(threads),
            start_new_session=True,  # An interrupt from the terminal must not reach the server.
        )
        self._numbers = itertools.count()
        self._requested: dict[int, _Forked] = {}
        self._running: dict[int, _Forked] = {}
        self._ended = False
        self._lock = threading.Lock()
        self._listener = threading.Thread(target=self._listen, daemon=True, name="distillkit-fork-server")
        self._listener.start()

    def fork(self, folder: Path, imports: tuple[str, ...]) -> _Forked:
        """Request a child process and return it once it has started."""
        child, number = _Forked(), next(self._numbers)
        request = {
            "id": number,
            "folder": str(folder),
            "log": str(folder / "log"),
            "imports": imports,
            "environment": _environment(self.threads),
            "cwd": str(Path.cwd()),
            "path": _import_path(),
        }
        with self._lock:
            if self._ended:
                raise _ServerEndedError
            self._requested[number] = child
            try:
                assert self._process.stdin is not None
                self._process.stdin.write(json.dumps(request).encode() + b"\n")
                self._process.stdin.flush()
            except OSError:
                self._requested.pop(number, None)
                raise _ServerEndedError from None
        child.started.wait()
        if child.error is not None:
            raise OSError(child.error)
        if not child.pid:
            raise _ServerEndedError
        return child

    def _listen(self) -> None:
        """Handle the answers of the server until it ends."""
        assert self._process.stdout is not None
        with self._process.stdout, contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                self._handle_answer(json.loads(line))
        with self._lock:  # The kernel has killed the children together with the server.
            self._ended = True
            for child in (*self._requested.values(), *self._running.values()):
                child.started.set()
                child.returncode = -9
                child.ended.set()
            self._requested.clear()
            self._running.clear()

    def _handle_answer(self, answer: dict[str, Any]) -> None:
        with self._lock:
            if "started" in answer:
                child = self._requested.pop(answer["id"])
                child.pid, child.error = answer["started"] or 0, answer.get("error")
                if child.pid:
                    self._running[child.pid] = child
                child.started.set()
            elif (ended_child := self._running.pop(answer["ended"], None)) is not None:
                ended_child.returncode = answer["code"]
                ended_child.ended.set()

    def close(self) -> None:
        """Close the pipe to the server, which makes it end, and wait for that."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
            self._listener.join(5)  # The listener closes the pipe that it reads from.


_servers: dict[tuple[Any, ...], _ForkServer] = {}
_guard = threading.Lock()


def _server(threads: int, imports: tuple[str, ...]) -> _ForkServer:
    """Return the fork server for jobs that need the same packages.

    There is one server per set of packages, because the packages of other jobs would count as
    memory of this one.
    """
    packages = tuple(sorted({name for name in imports if not name.startswith("distillkit.")} - _COMMON))
    key = (os.getpid(), sys.executable, threads, packages)  # A forked copy of this process must not share the pipe.
    with _guard:
        if key not in _servers:
            _servers[key] = _ForkServer(threads)
        return _servers[key]


def _discard_server(server: _ForkServer) -> None:
    with _guard:
        for key in [key for key, running in _servers.items() if running is server]:
            del _servers[key]
    server.close()


@atexit.register
def _close_all() -> None:
    for key, server in list(_servers.items()):
        if key[0] == os.getpid():
            server.close()
    _servers.clear()
