"""A process that has done the imports and forks one child per job: what a job needs is then there in milliseconds.

This is the program that runs in it; `distillkit.bench.execution._child_processes` starts it and talks to it through its standard input and output, one
JSON object per line. It must stay a program of one thread that has done nothing but import: only then may it fork.
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

__all__ = ["serve"]

_PATIENCE = 1.0  # seconds between two looks whether the harness still lives


def serve() -> NoReturn:
    """Fork a child for each request until the harness closes the pipe or dies."""
    server = _Server()
    server.run()
    with contextlib.suppress(OSError):  # nobody may be there to read
        server.answers.close()
    os._exit(0)  # the kernel kills the children with their parent


class _Server:
    def __init__(self) -> None:
        assert _jobs  # imported for the children
        self.parent = os.getppid()
        # whatever an import prints must not end up between the answers
        self.answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self.wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.rest = b""

    def run(self) -> None:
        while os.getppid() == self.parent:
            ready, _, _ = select.select([0, self.wake], [], [], _PATIENCE)
            if self.wake in ready:
                os.read(self.wake, 4096)
                self.reap()
            if 0 in ready:
                text = os.read(0, 65536)
                if not text:
                    return
                *lines, self.rest = (self.rest + text).split(b"\n")
                for line in lines:
                    self.fork(json.loads(line))

    def answer(self, **values: Any) -> None:
        self.answers.write(f"{json.dumps(values)}\n")
        self.answers.flush()

    def reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self.answer(ended=ended[0], code=os.waitstatus_to_exitcode(ended[1]))

    def fork(self, request: dict[str, Any]) -> None:
        for name in request["imports"]:
            with contextlib.suppress(Exception):  # the child meets it again and tells it as the error of its job
                importlib.import_module(name)
        gc.collect()
        gc.freeze()  # collections in children would write to, and so copy, every page
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # BLAS keeps threads, which know how to be forked
                pid = os.fork()
        except OSError as exc:
            self.answer(started=None, id=request["id"], error=str(exc))
            return
        if pid == 0:
            self.become_child(request)
        with contextlib.suppress(OSError):  # also done by the child: whichever comes first
            os.setpgid(pid, pid)
        self.answer(started=pid, id=request["id"])

    def become_child(self, request: dict[str, Any]) -> NoReturn:
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
        finally:  # never back into the loop of the server
            os._exit(1)


def _redirect(log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)
