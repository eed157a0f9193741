"""Rows of a batch: as many as asked for, and half of them where memory ends, so that a run goes on."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from distillkit.exceptions import DistillkitWarning, NotEnoughMemoryError

__all__ = ["BatchSize", "out_of_memory", "within_memory"]

_FLOOR = 8  # rows: with fewer, a batch says little
_PHRASES = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "alloc_failed")

_T = TypeVar("_T")


def out_of_memory(exc: BaseException) -> bool:
    """Whether an error says that memory has ended: of a GPU, or of the machine, whose allocator raises a plain RuntimeError."""
    if isinstance(exc, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(exc, RuntimeError) and any(phrase in str(exc).lower() for phrase in _PHRASES)


@contextmanager
def within_memory(device: torch.device) -> Iterator[None]:
    """Say in one sentence that memory has ended before there is a batch to make smaller.

    Parameters
    ----------
    device : torch.device
        Where rows and a network are put.

    Raises
    ------
    NotEnoughMemoryError
        In place of any error that says so.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as exc:
        if isinstance(exc, NotEnoughMemoryError) or not out_of_memory(exc):
            raise
        other = "" if device.type == "cpu" else ", or give device='cpu'"
        raise NotEnoughMemoryError(
            f"memory of {device} ended before the first update, when rows and a network were put there: free some of it, lower width or budget{other}."
        ) from exc.with_traceback(None)


class BatchSize:
    """Rows of a batch.

    Parameters
    ----------
    name : str
        Parameter that the size comes from.
    size : int
        Rows to start with; never fewer than 8 are tried, or this many if that is less.
    remedy : str
        What helps where the fewest rows are too many.

    Attributes
    ----------
    size : int
        Rows now.
    """

    def __init__(self, name: str, size: int, remedy: str) -> None:
        self.name, self.size, self.first, self._remedy = name, size, size, remedy
        self._floor = min(size, _FLOOR)

    def fit(self, work: Callable[[], _T], again: Callable[[], None], where: str) -> _T:
        """Return what a piece of work does with as many rows as `size` says when it is called.

        Parameters
        ----------
        work : callable
        again : callable
            Undoes what the work has done when memory ended; it is then repeated with half the rows.
        where : str
            For the messages: "iteration 7 of gradient matching".

        Raises
        ------
        NotEnoughMemoryError
            If memory ends with the fewest rows.

        Warns
        -----
        DistillkitWarning
            Once the work is done with fewer rows than before.
        """
        before = self.size
        while True:
            try:
                done = work()
                break
            except (RuntimeError, MemoryError) as exc:
                if isinstance(exc, NotEnoughMemoryError) or not out_of_memory(exc):
                    raise
                cause = exc.with_traceback(None)  # its frames hold what fills the memory
            if self.size <= self._floor:
                raise NotEnoughMemoryError(
                    f"memory ended in {where} with {self.name}={self.size}: {self._remedy}."
                ) from cause
            self.size = max(self._floor, self.size // 2)
            _release()
            again()
        if self.size < before:
            warnings.warn(
                f"memory ended in {where} with {self.name}={before}: from there on it is {self.size}.",
                DistillkitWarning,
                stacklevel=2,
            )
        return done


def _release() -> None:
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
