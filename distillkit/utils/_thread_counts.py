"""Numbers of threads of the numerical libraries, which the last digits of results depend on."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

__all__ = ["thread_counts"]

_LIBRARIES = ("faiss", "numpy", "scipy.linalg", "sklearn", "torch")
"""Modules that load libraries with thread pools of their own."""


def thread_counts() -> dict[str, int]:
    """Return how many threads the calling thread may use in BLAS, OpenMP and, if loaded, torch.

    If several libraries of one kind are loaded, the largest number counts.
    """
    counts: dict[str, int] = {}
    for pool in _controller(tuple(name for name in _LIBRARIES if name in sys.modules)).info():
        counts[pool["user_api"]] = max(counts.get(pool["user_api"], 1), int(pool["num_threads"]))
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_num_threads"):
        counts["torch"] = int(torch.get_num_threads())
    return dict(sorted(counts.items()))


@cache
def _controller(loaded: tuple[str, ...]) -> Any:  # noqa: ARG001 (the key of the cache)
    """Search for the thread pools of the loaded modules; cached, because the search is slow."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
