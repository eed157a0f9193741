"""Threads for NumPy computations on blocks of rows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["block_threads", "forked", "thread_count", "within_thread"]

_MIN_PARALLEL_SIZE = 2**22  # array size below which threads cost more time than they save
_thread_state = threading.local()
_forks: list[int] = []  # has an entry if a fork of another process started this one

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _forks.append(os.getpid()))


@contextmanager
def block_threads(size: int) -> Iterator[Callable[..., Any]]:
    """Provide a `map` over blocks that runs in several threads if the work is large enough.

    There are as many threads as NumPy's own matrix products may use. Each thread computes its
    products alone, because threads that share a product wait for each other on a busy machine, and
    the rounding of a product would depend on their number. Nested use within such a thread starts
    no further threads. If an exception leaves the context, blocks that have not started are
    dropped.

    Parameters
    ----------
    size : int
        Number of array elements to be processed, by which the amount of work is judged.

    Yields
    ------
    callable
        The built-in ``map``, or the ``map`` of a thread pool; results come in the order of the
        blocks.
    """
    if within_thread():
        yield map
        return
    n_threads = thread_count()
    with _controller().limit(limits=1, user_api="blas"):
        if n_threads == 1 or size < _MIN_PARALLEL_SIZE:
            yield map
            return
        pool = ThreadPoolExecutor(n_threads, initializer=setattr, initargs=(_thread_state, "working", True))
        try:
            yield pool.map
        finally:
            pool.shutdown(cancel_futures=True)


def thread_count() -> int:
    """Return how many threads NumPy's own matrix products may use."""
    return max((int(pool["num_threads"]) for pool in _controller().info() if pool["user_api"] == "blas"), default=1)


def within_thread() -> bool:
    """Tell whether the calling thread belongs to `block_threads`, so that all cores are busy."""
    return getattr(_thread_state, "working", False)


def forked() -> bool:
    """Tell whether a fork of another process started this one since this module was imported.

    OpenMP keeps its threads between loops. A fork copies their description, but not the threads, so
    that the next parallel loop of the child waits for them forever. A loop that is limited to one
    thread waits for no other.
    """
    return bool(_forks)


@cache
def _controller() -> ThreadpoolController:
    """Search for loaded BLAS libraries once; importing NumPy has already loaded its own."""
    return ThreadpoolController()
