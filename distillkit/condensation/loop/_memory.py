"""Memory that a run will need, measured on one row and multiplied, and what to do where there is too little."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import prod
from pathlib import Path

import psutil
import torch
from torch import nn

from distillkit.exceptions import NotEnoughMemoryError
from distillkit.nn import count_parameters

__all__ = ["available_bytes", "graph_bytes", "kernel_bytes", "require_memory", "unrolled_bytes"]

_GIB = 2**30
_CGROUPS = (  # limit and use of a container, in both versions of Linux's control groups
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def graph_bytes(make_network: Callable[[int], nn.Module], shape: tuple[int, ...]) -> int:
    """Return the bytes that a network keeps for the backward pass, per row.

    They are counted as the network hands them to autograd, for one row and for two; storages that are kept twice count once.
    Weights are no part of the difference.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a network.
    shape : tuple of int
        Shape of one row.
    """
    network = make_network(0)
    weight = next(network.parameters(), torch.zeros(0))
    one, two = (_kept(network, weight.new_zeros(n_rows, *shape)) for n_rows in (1, 2))
    return max(1, two - one)


def _kept(network: nn.Module, rows: torch.Tensor) -> int:
    storages: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    rows.requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = network(rows)
    return sum(storages.values()) + 4 * int(prod(outputs.shape))


def kernel_bytes(
    make_network: Callable[[int], nn.Module], shape: tuple[int, ...], n_rows: int, real_batch: int, pool_size: int
) -> int:
    """Return the bytes that kernel matching needs: the graph of the synthetic rows, features in float64, and the pool.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a network with a method ``embed``.
    shape : tuple of int
        Shape of one row.
    n_rows, real_batch : int
        Synthetic rows, and real ones, of which at most 256 are in a network at once.
    pool_size : int
    """
    network = make_network(0)
    with torch.no_grad():
        features = int(network.embed(next(network.parameters()).new_zeros(1, *shape)).numel())  # type: ignore[operator]
    graph = graph_bytes(make_network, shape) * (n_rows + min(256, real_batch))
    kernels = 8 * (2 * features * (n_rows + real_batch) + 3 * n_rows * (n_rows + real_batch))
    # weights, their gradients, and two moments of each
    return graph + kernels + 16 * count_parameters(network) * pool_size


def unrolled_bytes(
    make_network: Callable[[int], nn.Module], shape: tuple[int, ...], n_rows: int, real_batch: int, window: int
) -> int:
    """Return the bytes of a training that is differentiated through: its last steps, and a real batch at the end.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a network.
    shape : tuple of int
        Shape of one row.
    n_rows, real_batch : int
    window : int
        Steps that are differentiated through. Each keeps its graph and that of its gradient, which is twice as large, and the weights
        with their gradient.
    """
    per_row = graph_bytes(make_network, shape)
    weights = 4 * count_parameters(make_network(0))
    return per_row * (3 * n_rows * window + real_batch) + weights * (3 * window + 6)


def available_bytes(device: torch.device) -> int:
    """Return the bytes that are free on a device: of a GPU, or of the machine within the limit of its container."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    for limit, used in _CGROUPS:
        with suppress(OSError, ValueError):  # none, or "max"
            free = min(free, int(Path(limit).read_text(encoding="ascii")) - int(Path(used).read_text(encoding="ascii")))
    return max(0, free)


def require_memory(needed: float, device: torch.device, remedy: str) -> None:
    """Refuse a run that will not fit.

    Parameters
    ----------
    needed : float
        Bytes, an estimate.
    device : torch.device
    remedy : str
        What to lower.

    Raises
    ------
    NotEnoughMemoryError
        If more is needed than is free.
    """
    free = available_bytes(device)
    if needed > free:
        raise NotEnoughMemoryError(
            f"about {needed / _GIB:.1f} GiB of memory would be needed, but {free / _GIB:.1f} GiB are free on {device}: {remedy}."
        )
