"""Threads for NumPy's work on blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["block_threads"]

_SMALL = 2**22  # numbers below which threads cost more than they save


@contextmanager
def block_threads(size: int) -> Iterator[Callable[..., Any]]:
    """Give a `map` that works on blocks in as many threads as NumPy's own products may take, if there is enough to do.

    Each thread does its products alone: on a busy machine threads that share a product wait for each other.

    Parameters
    ----------
    size : int
        Numbers that are worked on.

    Yields
    ------
    callable
        ``map`` itself, or that of a thread pool; results come in the order of the blocks.
    """
    controller = _controller()
    number = max((pool["num_threads"] for pool in controller.info()), default=1) if size >= _SMALL else 1
    with controller.limit(limits=1, user_api="blas"):
        if number == 1:
            yield map
            return
        with ThreadPoolExecutor(number) as pool:
            yield pool.map


@cache
def _controller() -> ThreadpoolController:
    """Look for the BLAS in memory once; NumPy's is there already."""
    return ThreadpoolController()
