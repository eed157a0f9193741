"""Batch sizes that are halved when memory runs out, so that a run can continue."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from distillkit.exceptions import DistillkitWarning, NotEnoughMemoryError
from distillkit.utils._memory_errors import is_out_of_memory

__all__ = ["BatchSize", "out_of_memory", "within_memory"]

_FLOOR = 8  # rows; smaller batches estimate a gradient too poorly to be worth an update

_T = TypeVar("_T")


def out_of_memory(exc: BaseException) -> bool:
    """Return whether an error means that a GPU or the machine is out of memory.

    The allocator of the CPU raises a plain RuntimeError, which is recognized by its message.
    """
    return isinstance(exc, MemoryError | RuntimeError) and is_out_of_memory(exc)


@contextmanager
def within_memory(device: torch.device) -> Iterator[None]:
    """Translate out-of-memory errors before the first update, when no batch can be halved yet.

    Parameters
    ----------
    device : torch.device
        Device that the rows and a network are moved to.

    Raises
    ------
    NotEnoughMemoryError
        In place of any error for which `out_of_memory` is true.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as exc:
        if isinstance(exc, NotEnoughMemoryError) or not out_of_memory(exc):
            raise
        cpu_remedy = "" if device.type == "cpu" else ", or give device='cpu'"
        raise NotEnoughMemoryError(
            f"memory of {device} ran out before the first update, when the rows and a network were moved there: "
            f"free some memory, lower width or budget{cpu_remedy}."
        ) from exc.with_traceback(None)


class BatchSize:
    """Batch size that is halved whenever a batch does not fit into memory.

    Parameters
    ----------
    name : str
        Name of the parameter that sets the size, for messages.
    size : int
        Initial number of rows. The smallest size tried is 8, or `size` if that is less.
    remedy : str
        Advice for the error message when even the smallest batch does not fit.

    Attributes
    ----------
    size : int
        Current number of rows.
    first : int
        Initial number of rows.
    """

    def __init__(self, name: str, size: int, remedy: str) -> None:
        self.name, self.size, self.first, self._remedy = name, size, size, remedy
        self._floor = min(size, _FLOOR)

    def fit(self, work: Callable[[], _T], again: Callable[[], None], where: str) -> _T:
        """Call `work` until it fits into memory, halving `size` after each failure.

        Parameters
        ----------
        work : callable
            Reads `size` when it is called; its result is returned.
        again : callable
            Undoes the side effects of a failed call, such as random draws, before the next one.
        where : str
            Place in the run for messages, such as "iteration 7 of gradient matching".

        Raises
        ------
        NotEnoughMemoryError
            If memory runs out with the smallest batch.

        Warns
        -----
        DistillkitWarning
            If the work succeeded with a smaller batch than before.
        """
        before = self.size
        while True:
            try:
                result = work()
                break
            except (RuntimeError, MemoryError) as exc:
                if isinstance(exc, NotEnoughMemoryError) or not out_of_memory(exc):
                    raise
                # The frames of the traceback refer to the tensors that fill the memory.
                cause = exc.with_traceback(None)
            if self.size <= self._floor:
                raise NotEnoughMemoryError(
                    f"memory ran out in {where} with {self.name}={self.size}: {self._remedy}."
                ) from cause
            # Halve the batch, free cached memory, and restore the state before the failed call.
            self.size = max(self._floor, self.size // 2)
            _free_cached_memory()
            again()
        if self.size < before:
            warnings.warn(
                f"memory ran out in {where} with {self.name}={before}; the run continues with {self.name}={self.size}.",
                DistillkitWarning,
                stacklevel=2,
            )
        return result


def _free_cached_memory() -> None:
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
