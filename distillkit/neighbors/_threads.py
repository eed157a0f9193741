"""Threads for NumPy's work on blocks of rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["block_threads", "thread_count", "within_thread"]

_SMALL = 2**22  # numbers below which threads cost more than they save
_here = threading.local()


@contextmanager
def block_threads(size: int) -> Iterator[Callable[..., Any]]:
    """Give a `map` that works on blocks in as many threads as NumPy's own products may take, if there is enough to do.

    Each thread does its products alone: on a busy machine threads that share a product wait for each other, and the bits of a
    product would depend on their number. Within such a thread there are no further ones. Blocks not begun when an
    exception leaves are dropped.

    Parameters
    ----------
    size : int
        Numbers that are worked on.

    Yields
    ------
    callable
        ``map`` itself, or that of a thread pool; results come in the order of the blocks.
    """
    if within_thread():
        yield map
        return
    number = thread_count()
    with _controller().limit(limits=1, user_api="blas"):
        if number == 1 or size < _SMALL:
            yield map
            return
        pool = ThreadPoolExecutor(number, initializer=setattr, initargs=(_here, "working", True))
        try:
            yield pool.map
        finally:
            pool.shutdown(cancel_futures=True)


def thread_count() -> int:
    """Return how many threads NumPy's own products may take."""
    return max((int(pool["num_threads"]) for pool in _controller().info() if pool["user_api"] == "blas"), default=1)


def within_thread() -> bool:
    """Tell whether this is one of the threads of `block_threads`, so that all cores have work."""
    return getattr(_here, "working", False)


@cache
def _controller() -> ThreadpoolController:
    """Look for the BLAS in memory once; NumPy's is there already."""
    return ThreadpoolController()
