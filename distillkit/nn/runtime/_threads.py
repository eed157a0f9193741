"""A pool of threads for independent computations in torch, one thread for each."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import torch
from torch import nn

__all__ = ["Threads", "takes_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")


@cache
def _setters() -> tuple[Any, ...]:
    """Return the functions that set the number of threads of the calling thread alone.

    These are functions of OpenMP and, where torch computes with it, of MKL. torch itself only has
    `set_num_threads`, which also changes the number for threads that start later, and so for other
    fits and for the user. The result is empty where the library of torch does not give access to
    them.
    """
    folder = Path(torch.__file__).parent / "lib"
    for name in ("libtorch_cpu.so", "libtorch_cpu.dylib"):
        if (folder / name).exists():
            library = ctypes.CDLL(str(folder / name))
            of_mkl = getattr(library, "MKL_Set_Num_Threads_Local", None)
            of_openmp = getattr(library, "omp_set_num_threads", None)
            return () if of_openmp is None else (of_openmp,) if of_mkl is None else (of_openmp, of_mkl)
    return ()


def _use_one_thread() -> None:
    """Let torch use one thread for each operation of the calling thread."""
    if not _setters():
        torch.set_num_threads(1)
        return
    # torch adopts the number of the process when a thread first asks for it and first computes.
    torch.get_num_threads()
    rows = torch.ones(256, 256)
    torch.mm(rows, rows).add_(1).sum()
    for setter in _setters():
        setter(1)


class Threads:
    """Pool of threads that each compute different items, as many as torch uses for one operation.

    Threads that share the loops of a layer have to wait for each other at every layer. It is faster
    to give each thread its own rows of a batch.

    Results come in the order of the items and do not depend on the number of threads. The threads
    end with the context.

    Parameters
    ----------
    allowed : bool, default=True
        Whether to use several threads; False computes everything in the calling thread.
    """

    def __init__(self, *, allowed: bool = True) -> None:
        self.count = torch.get_num_threads() if allowed else 1
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
            if not _setters():  # the initializer has also changed the number for threads that start later
                torch.set_num_threads(self.count)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Apply a function to each item, and return the results; the first exception is raised.

        The function must not draw random numbers from torch's global state, and must not accumulate
        gradients in shared weights.

        Parameters
        ----------
        function : callable
        items : iterable

        Returns
        -------
        list
        """
        item_list = list(items)
        if self.count == 1 or len(item_list) < 2:
            return [function(item) for item in item_list]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.count, initializer=_use_one_thread)
        return list(self._pool.map(function, item_list))


def takes_threads(network: nn.Module) -> bool:
    """Tell whether different threads may pass different rows through a network at the same time.

    Its parameters must be on the CPU, and its class must declare ``rows_apart = True``, which
    promises that the network treats each row independently, draws no random numbers and has no
    state but its weights.

    Parameters
    ----------
    network : Module

    Returns
    -------
    bool
    """
    return bool(getattr(network, "rows_apart", False)) and all(
        parameter.device.type == "cpu" for parameter in network.parameters()
    )
