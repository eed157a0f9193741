"""The fork server, a process that imports everything once and then forks one child per job.

The imports of a job are then available at once. `distillkit.bench.execution._child_processes`
starts this program and exchanges one JSON object per line with it through standard input and
output. The program must remain single-threaded and do nothing but import, so that forking is safe.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import sys
import warnings
from typing import Any, NoReturn

from distillkit.bench.execution import _child_main, _jobs
from distillkit.bench.execution._process_tree import adopt_orphans, kill_descendants

__all__ = ["serve"]

_POLL_SECONDS = 1.0  # Interval at which to check that the parent process is still running.


def serve() -> NoReturn:
    """Fork a child for each request until the parent process closes the pipe or ends."""
    server = _Server()
    server.run()
    with contextlib.suppress(OSError):  # The parent may have ended already.
        server.answers.close()
    server.end()


class _Server:
    """Reads requests from standard input and writes answers to a copy of standard output."""

    def __init__(self) -> None:
        assert _jobs  # This module is imported for the children.
        self.parent = os.getppid()
        # Redirect standard output, so that the output of an import does not mix with the answers.
        self.answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self.wake, self._waker = os.pipe()
        # The end of a child writes to a pipe, which wakes up the select call in `run`.
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.partial_line = b""
        self.jobs: set[int] = set()
        adopt_orphans()

    def run(self) -> None:
        """Serve requests until standard input is closed or the parent ends."""
        while os.getppid() == self.parent:
            ready, _, _ = select.select([0, self.wake], [], [], _POLL_SECONDS)
            if self.wake in ready:
                os.read(self.wake, 4096)
                self.reap()
            if 0 in ready:
                text = os.read(0, 65536)
                if not text:
                    return
                *lines, self.partial_line = (self.partial_line + text).split(b"\n")
                for line in lines:
                    self.fork(json.loads(line))

    def answer(self, **values: Any) -> None:
        """Write one answer; end without a traceback if the parent has ended."""
        try:
            self.answers.write(f"{json.dumps(values)}\n")
            self.answers.flush()
        except OSError:
            self.end()

    def end(self) -> NoReturn:
        """Kill the children with all their descendants, and end this process."""
        # The kernel kills the children together with this process, but not their descendants.
        with contextlib.suppress(Exception):
            kill_descendants()
        os._exit(0)

    def reap(self) -> None:
        """Collect the exit statuses of all children that have ended, and report those of jobs.

        Processes that an ended job has left behind are children of this process now. They are
        killed before the end of the job is reported.
        """
        ended = []
        with contextlib.suppress(ChildProcessError):
            while (child := os.waitpid(-1, os.WNOHANG))[0]:
                if child[0] in self.jobs:
                    self.jobs.remove(child[0])
                    ended.append(child)
        if ended:
            with contextlib.suppress(Exception):
                kill_descendants(spare=self.jobs)
        for pid, status in ended:
            self.answer(ended=pid, code=os.waitstatus_to_exitcode(status))

    def fork(self, request: dict[str, Any]) -> None:
        """Do the imports of a job, fork its child, and report the process id."""
        for name in request["imports"]:
            with contextlib.suppress(Exception):  # The child repeats the import and reports the error.
                importlib.import_module(name)
        # Garbage collections in the children would write to every memory page and so copy it.
        gc.collect()
        gc.freeze()
        try:
            with warnings.catch_warnings():
                # Python warns about threads of BLAS libraries, but these handle forks themselves.
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
        except OSError as exc:
            self.answer(started=None, id=request["id"], error=str(exc))
            return
        if pid == 0:
            self.become_child(request)
        with contextlib.suppress(OSError):  # Server and child both do this, since either may be first.
            os.setpgid(pid, pid)
        self.jobs.add(pid)
        self.answer(started=pid, id=request["id"])

    def become_child(self, request: dict[str, Any]) -> NoReturn:
        """Turn a forked copy of the server into the child of a job, and do the job."""
        server = os.getppid()
        try:
            with contextlib.suppress(OSError):
                os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _redirect(request["log"])
            for descriptor in (self.answers.fileno(), self.wake, self._waker):
                os.close(descriptor)
            os.environ.clear()
            os.environ.update(request["environment"])
            os.chdir(request["cwd"])
            sys.path[:] = request["path"]
            importlib.invalidate_caches()
            _child_main.do_job(request["folder"], server)
        finally:  # The child must never return to the loop of the server.
            os._exit(1)


def _redirect(log: str) -> None:
    """Make standard input empty and send standard output and error to a log file."""
    null_input = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for source, target in ((null_input, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(null_input)
    os.close(output)
