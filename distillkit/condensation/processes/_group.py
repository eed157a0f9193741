"""A fit in several processes, which fail, stop and go on together."""

from __future__ import annotations

import json
import math
import pickle
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import distributed

from distillkit.condensation.processes._processes import Processes
from distillkit.exceptions import DataError, DistillkitWarning, NotEnoughMemoryError, ProcessGroupError
from distillkit.utils._memory_errors import is_out_of_memory

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["ProcessGroup"]

_T = TypeVar("_T")


class _Outcome(IntEnum):
    """How a step went in a process. Of several, the largest one holds for all processes."""

    DONE = 0
    AGAIN = 1  # memory ended, and the step is repeated with fewer rows
    NOT_FINITE = 2
    OUT_OF_MEMORY = 3
    FAILED = 4


# What the other processes raise after an outcome that the fit survives.
_ERRORS: dict[_Outcome, type[Exception]] = {
    _Outcome.AGAIN: MemoryError,
    _Outcome.NOT_FINITE: FloatingPointError,
    _Outcome.OUT_OF_MEMORY: NotEnoughMemoryError,
}


class ProcessGroup(Processes):
    """The processes of the default group of torch.distributed.

    The processes stay together by one rule: every communication begins with the same exchange of a
    status, by `_exchange`. A process that fails sends its status wherever it is, and the others
    learn of it in their next exchange, wherever that is, so that none of them waits forever. The
    status goes through a Gloo group of its own, because the memory of a GPU may be what has failed.
    """

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self._group: Any = distributed.new_group(backend="gloo")
        self._now = time.perf_counter()
        self._ended = False  # after an error of any process, nothing more is communicated
        self._interrupted = False
        self._common: BaseException | None = None  # an error that all processes know of

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Keep the processes together for a fit: an error of one of them ends it in all of them.

        Raises
        ------
        ProcessGroupError
            If another process has failed, with its message.
        """
        with warnings.catch_warnings():
            if not self.is_first:
                warnings.simplefilter("ignore", DistillkitWarning)
            try:
                yield
            except BaseException as exc:
                if exc is not self._common:
                    self._exchange(_Outcome.FAILED, exc)
                raise
            else:
                self._exchange()
            finally:
                distributed.destroy_process_group(self._group)

    def same(self, key: Mapping[str, Any]) -> None:
        """Check that all processes fit the same data with the same settings.

        Raises
        ------
        DataError
            If they do not; the message names what differs.
        """
        self._exchange()
        keys: list[Any] = [None] * self.size
        distributed.all_gather_object(keys, {name: json.dumps(value) for name, value in key.items()}, self._group)
        differing = sorted(
            {name for other in keys for name in {*other, *keys[0]} if other.get(name) != keys[0].get(name)}
        )
        if differing:
            raise DataError(
                f"the {self.size} processes of the group fit with another {', '.join(differing)}: give all of them the "
                "same data and parameters, or processes=None, which fits in each process on its own."
            )

    def attempt(self, work: Callable[[], _T], *, retried: bool = False) -> _T:
        """Return the result of work in which a process may fail on its own.

        Raises
        ------
        MemoryError
            If memory has ended in another process, and the work is `retried`.
        NotEnoughMemoryError
            If memory has ended there, and the work is not `retried`.
        FloatingPointError
            If the loss has become infinite in another process.
        ProcessGroupError
            If another process has failed otherwise.
        """
        try:
            result = work()
        except BaseException as exc:
            if exc is not self._common:
                self._exchange(_outcome_of(exc, retried=retried), exc)
            raise
        self._exchange()
        return result

    def first(self, work: Callable[[], _T]) -> _T:
        """Return the result of work that the first process does for all."""
        # What can fail comes before the exchange, after which every process has to communicate.
        packed: list[Any] = [pickle.dumps(work())] if self.is_first else [None]
        self._exchange()
        distributed.broadcast_object_list(packed, 0, self._group)
        return pickle.loads(packed[0])  # type: ignore[no-any-return]  # noqa: S301 (of this fit)

    def sum(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Return the sums of tensors over the processes, which have them in equal shapes."""
        # 1. Pack them, because one communication is faster than several. What can fail comes before
        #    the exchange, after which every process has to communicate.
        packed = _packed(tensors)
        on_gpu = packed.is_cuda and "nccl" in str(distributed.get_backend_config())
        total = packed if on_gpu else packed.cpu()
        self._exchange()
        # 2. Add them up. Sums of rows that all but one process leave at zero are exact.
        distributed.all_reduce(total, group=None if on_gpu else self._group)
        parts = torch.split(total.to(packed.device), [tensor.numel() for tensor in tensors])
        return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]

    def tick(self) -> None:
        """Read the clock, between two reads that other steps bring with them."""
        self._exchange()

    @contextmanager
    def keeping_time(self, run: Run) -> Iterator[None]:
        """Let the clock of the first process, read once per update, decide in all processes.

        Ctrl-C waits for the end of a step meanwhile, when it reaches all processes; the second one
        ends this process at once.
        """
        run.started = self.first(lambda: run.started)
        run.clock = lambda: self._now
        try:
            with self._deferred_interrupts():
                yield
        finally:
            run.clock = None
            if not self.is_first:  # whose clock counts from another moment
                run.started += time.perf_counter() - self._now

    @contextmanager
    def _deferred_interrupts(self) -> Iterator[None]:
        previous = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or previous is not signal.default_int_handler:
            yield
            return

        def note(number: int, frame: Any) -> None:
            if self._interrupted:
                signal.default_int_handler(number, frame)
            self._interrupted = True

        signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def _exchange(self, outcome: _Outcome = _Outcome.DONE, exc: BaseException | None = None) -> None:
        """Tell the other processes how a step went here, and raise what went wrong elsewhere."""
        if self._ended:
            if exc is None:
                raise ProcessGroupError("the fit goes on after an error that ended it in all processes.")
            return
        clock = time.perf_counter() if self.is_first else -math.inf
        status = torch.tensor([float(outcome), float(self._interrupted), clock], dtype=torch.float64)
        self._reduce_status(status, exc)
        worst, self._now = _Outcome(int(status[0])), float(status[2])
        self._ended = worst is _Outcome.FAILED
        if worst is not _Outcome.DONE:
            self._raise_common(worst, outcome, exc)
        elif status[1]:
            self._interrupted = False
            self._common = KeyboardInterrupt()
            raise self._common

    def _reduce_status(self, status: torch.Tensor, exc: BaseException | None) -> None:
        try:
            distributed.all_reduce(status, distributed.ReduceOp.MAX, self._group)
        except RuntimeError as lost:
            self._ended = True
            if exc is None:
                raise ProcessGroupError(
                    f"process {self.rank} of {self.size} cannot reach the others, one of which has ended "
                    f"({' '.join(str(lost).split())[:200]}): start all of them again; with checkpoint= they resume."
                ) from lost

    def _raise_common(self, worst: _Outcome, outcome: _Outcome, exc: BaseException | None) -> None:
        """Raise the worst error, unless this process has it, whose caller then raises it."""
        reports: list[Any] = [None] * self.size
        distributed.all_gather_object(reports, (outcome, f"{type(exc).__name__}: {exc}"), self._group)
        if outcome is worst:
            self._common = exc
            return
        rank, message = next((rank, text) for rank, (other, text) in enumerate(reports) if other is worst)
        error = _ERRORS.get(worst, ProcessGroupError)
        self._common = error(f"process {rank} of {self.size} failed: {message}")
        raise self._common from exc


def _packed(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the values of all tensors in one vector."""
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def _outcome_of(exc: BaseException, *, retried: bool) -> _Outcome:
    if isinstance(exc, FloatingPointError):
        return _Outcome.NOT_FINITE
    if not isinstance(exc, MemoryError | RuntimeError) or not is_out_of_memory(exc):
        return _Outcome.FAILED
    return _Outcome.AGAIN if retried and not isinstance(exc, NotEnoughMemoryError) else _Outcome.OUT_OF_MEMORY
