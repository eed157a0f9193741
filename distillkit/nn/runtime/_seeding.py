"""Randomness that comes from a seed given by the caller, never from torch's global state or the clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["make_generator", "seeded"]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch inside the block and restore its global state afterwards.

    Layers draw their initial weights and dropout its masks from the global generators and take no other; this keeps
    a user's own stream of random numbers as it was.

    Parameters
    ----------
    seed : int
    """
    on_gpu = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if on_gpu else []):
        # torch.manual_seed would also note the seed for GPUs that are first used after the block
        (torch.manual_seed if on_gpu else torch.default_generator.manual_seed)(seed)
        yield


def make_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a generator of its own for a seed.

    Parameters
    ----------
    seed : int
    device : torch.device or str
    """
    return torch.Generator(device=device).manual_seed(seed)
