"""Scratch memory that a thread reuses for temporary tensors."""

from __future__ import annotations

import threading
from math import prod

import torch

__all__ = ["scratch"]


class _ThreadBuffers(threading.local):
    """The buffers of each thread, by name and dtype."""

    def __init__(self) -> None:
        self.tensors: dict[tuple[str, torch.dtype], torch.Tensor] = {}


_buffers = _ThreadBuffers()


def scratch(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Return an uninitialized tensor in memory that this thread reuses for each such call.

    The tensor is valid until the next call of the same thread with the same name and dtype. Reusing
    memory avoids the page faults of fresh memory, which for results of some MiB take longer than
    the computation.
    """
    size = prod(shape)
    buffer = _buffers.tensors.get((name, dtype))
    if buffer is None or len(buffer) < size:
        # A tensor created in inference mode could not be written to outside of that mode.
        with torch.inference_mode(mode=False):
            buffer = _buffers.tensors[name, dtype] = torch.empty(size, dtype=dtype)
    return buffer[:size].view(shape)
