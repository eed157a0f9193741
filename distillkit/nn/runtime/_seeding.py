"""Random numbers from seeds of the caller, independent of torch's global state and of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["make_generator", "seeded"]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generators inside the context, and restore their state afterwards.

    Layers draw initial weights, and dropout its masks, from the global generators and accept no
    others. Restoring the state leaves the user's own stream of random numbers unchanged.

    Parameters
    ----------
    seed : int
    """
    on_gpu = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if on_gpu else []):
        # Without GPUs in use, seed only the CPU: torch.manual_seed would also store the seed for
        # GPUs that are first used after the context.
        (torch.manual_seed if on_gpu else torch.default_generator.manual_seed)(seed)
        yield


def make_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Create a random number generator with a seed.

    Parameters
    ----------
    seed : int
    device : torch.device or str, default="cpu"

    Returns
    -------
    torch.Generator
    """
    return torch.Generator(device=device).manual_seed(seed)
