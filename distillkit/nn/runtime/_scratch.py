"""Memory that a thread uses again and again."""

from __future__ import annotations

import threading
from math import prod

import torch

__all__ = ["scratch"]


class _Kept(threading.local):
    def __init__(self) -> None:
        self.tensors: dict[tuple[str, torch.dtype], torch.Tensor] = {}


_kept = _Kept()


def scratch(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Return a tensor of anything, in memory that the next call of this thread with this name takes again.

    Fresh memory costs a page fault per 4 KiB, which for results of some MiB takes longer than to compute them.
    """
    size = prod(shape)
    known = _kept.tensors.get((name, dtype))
    if known is None or len(known) < size:
        with torch.inference_mode(mode=False):  # a tensor made in that mode could not be written to outside it
            known = _kept.tensors[name, dtype] = torch.empty(size, dtype=dtype)
    return known[:size].view(shape)
