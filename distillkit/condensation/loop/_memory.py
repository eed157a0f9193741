"""Estimates of the memory that a run will need, which refuse runs that cannot fit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import prod
from pathlib import Path

import psutil
import torch
from torch import nn

from distillkit.exceptions import NotEnoughMemoryError
from distillkit.nn import count_parameters, seeded_layers

__all__ = ["available_bytes", "graph_bytes", "kernel_bytes", "require_memory", "unrolled_bytes"]

_GIB = 2**30
# files with the memory limit and the memory use of a container, in both versions of Linux cgroups
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def graph_bytes(make_network: Callable[[int], nn.Module], shape: tuple[int, ...]) -> int:
    """Return the bytes per row that a network saves for the backward pass.

    The bytes of the tensors that the network saves for autograd are counted for one row and for
    two. Their difference is the cost of a row without that of the weights. A storage that is saved
    more than once counts once.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a network.
    shape : tuple of int
        Shape of one row.
    """
    network = make_network(0)
    weight = next(network.parameters(), torch.zeros(0))
    with seeded_layers(network, 0):
        one, two = (_saved_bytes(network, weight.new_zeros(n_rows, *shape)) for n_rows in (1, 2))
    return max(1, two - one)


def _saved_bytes(network: nn.Module, rows: torch.Tensor) -> int:
    """Return the bytes of a forward pass: tensors saved for the backward pass, and outputs."""
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
    """Return the bytes that kernel matching needs: graphs, float64 features, and the network pool.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a network with a method ``embed``.
    shape : tuple of int
        Shape of one row.
    n_rows, real_batch : int
        Numbers of synthetic rows and of real rows. At most 256 real rows are in a network at once.
    pool_size : int
        Number of networks in the pool.
    """
    network = make_network(0)
    with torch.no_grad():
        features = int(network.embed(next(network.parameters()).new_zeros(1, *shape)).numel())  # type: ignore[operator]
    graph = graph_bytes(make_network, shape) * (n_rows + min(256, real_batch))
    kernels = 8 * (2 * features * (n_rows + real_batch) + 3 * n_rows * (n_rows + real_batch))
    # Each network of the pool has float32 weights, gradients, and Adam's two moments.
    return graph + kernels + 16 * count_parameters(network) * pool_size


def unrolled_bytes(
    make_network: Callable[[int], nn.Module], shape: tuple[int, ...], n_rows: int, real_batch: int, window: int
) -> int:
    """Return the bytes needed to differentiate through the last steps of a training run.

    They include the graph of a batch of real rows, on which the trained network is evaluated.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a network.
    shape : tuple of int
        Shape of one row.
    n_rows, real_batch : int
        Numbers of synthetic rows and of real rows.
    window : int
        Number of steps to differentiate through. Each step keeps its own graph, the graph of its
        gradient, which is twice as large, and the weights with their gradient.
    """
    per_row = graph_bytes(make_network, shape)
    weight_bytes = 4 * count_parameters(make_network(0))
    return per_row * (3 * n_rows * window + real_batch) + weight_bytes * (3 * window + 6)


def available_bytes(device: torch.device) -> int:
    """Return the free bytes of a GPU, or of the machine within the limit of its container."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    for limit, used in _CGROUPS:
        with suppress(OSError, ValueError):  # no such file, or no limit ("max")
            free = min(free, int(Path(limit).read_text(encoding="ascii")) - int(Path(used).read_text(encoding="ascii")))
    return max(0, free)


def require_memory(needed: float, device: torch.device, remedy: str) -> None:
    """Refuse a run that will not fit into memory.

    Parameters
    ----------
    needed : float
        Estimated bytes that the run needs.
    device : torch.device
    remedy : str
        Advice for the error message, such as the parameters to lower.

    Raises
    ------
    NotEnoughMemoryError
        If the estimate exceeds the free memory of the device.
    """
    free = available_bytes(device)
    if needed > free:
        raise NotEnoughMemoryError(
            f"about {needed / _GIB:.1f} GiB of memory would be needed, but {free / _GIB:.1f} GiB are free on {device}: "
            f"{remedy}."
        )
