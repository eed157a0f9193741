"""A pool of threads for independent computations in torch, one thread for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import torch
from torch import nn

__all__ = ["Threads", "takes_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")


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
            # The initializer of the pool has also changed the default for threads that start later.
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
            self._pool = ThreadPoolExecutor(self.count, initializer=torch.set_num_threads, initargs=(1,))
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
