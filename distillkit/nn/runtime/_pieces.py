"""Division of batches into pieces whose activations fit the cache of a processor core."""

from __future__ import annotations

import os
import threading
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from distillkit.nn.runtime._modes import evaluating

__all__ = ["in_pieces", "rows_per_piece", "rows_to_share"]

# Size of the largest output of a layer for one piece, in bytes. The normalization, ReLU and pooling
# layers of a larger batch would each have to read and write main memory.
_BYTES = 2**22
# Size of the largest output of a layer for a batch, in bytes, below which threads cost more time
# than they save.
_SHARED_BYTES = 2**20
_SHARED = 64  # number of rows from which threads share a batch in networks without convolutions
_FEWEST = 4  # smallest number of rows in a piece
_PROBED = 16  # number of rows for the trial run: enough to take the same code path as large batches
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)  # other layers have small outputs
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)

_sizes: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], int]] = WeakKeyDictionary()
_trial = threading.RLock()  # Held during a trial run, which changes the mode of the network.


def _renew_lock() -> None:
    """Replace the lock in a forked process, whose parent may have held it in another thread."""
    global _trial  # noqa: PLW0603
    _trial = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def rows_per_piece(network: nn.Module, X: torch.Tensor) -> int:
    """Return how many rows of X to pass through the network at a time for the best speed.

    The result is the number of all rows, at least 1, if pieces would change the result (batch
    normalization in training mode) or would not be faster (on a GPU, for very few rows, or without
    convolutions).

    Parameters
    ----------
    network : Module
    X : tensor of shape (n, ...)

    Returns
    -------
    int
    """
    all_rows = max(1, len(X))
    if X.device.type != "cpu" or len(X) <= _FEWEST or not _contains(network, _CONVOLUTIONS):
        return all_rows
    if network.training and _contains(network, _BATCH_NORMS):
        return all_rows
    return max(_FEWEST, _BYTES // _output_bytes(network, X))


def rows_to_share(network: nn.Module, X: torch.Tensor) -> int:
    """Return the number of rows from which it is faster to divide a batch among threads.

    Parameters
    ----------
    network : Module
    X : tensor of shape (n, ...)

    Returns
    -------
    int
        At least 2.
    """
    if X.device.type != "cpu" or len(X) < 2 or not _contains(network, _CONVOLUTIONS):
        return _SHARED
    return max(2, _SHARED_BYTES // _output_bytes(network, X))


def in_pieces(n_rows: int, most: int) -> list[slice]:
    """Divide rows evenly into the fewest slices of at most `most` rows.

    Parameters
    ----------
    n_rows : int
    most : int
        Largest number of rows in a slice, at least 1.

    Returns
    -------
    list of slice
    """
    count = -(-n_rows // most)
    return [slice(n_rows * index // count, n_rows * (index + 1) // count) for index in range(count)]


def _contains(network: nn.Module, kinds: tuple[type[nn.Module], ...]) -> bool:
    """Tell whether a network contains a module of one of these classes."""
    return any(isinstance(module, kinds) for module in network.modules())


def _output_bytes(network: nn.Module, X: torch.Tensor) -> int:
    """Return the result of `_largest_output`, cached by network and shape of a row."""
    shape = tuple(X.shape[1:])
    with _trial:
        cached = _sizes.setdefault(network, {})
        if shape not in cached:
            # Always the same number of rows, so that the first batch to come does not decide.
            cached[shape] = _largest_output(network, X[torch.arange(_PROBED, device=X.device) % len(X)])
        return cached[shape]


@torch.no_grad()
def _largest_output(network: nn.Module, rows: torch.Tensor) -> int:
    """Measure the size in bytes of the largest output of a layer for one row."""
    largest, thread = 1, threading.get_ident()

    def record_size(_module: nn.Module, _args: Any, output: Any) -> None:
        nonlocal largest
        # Another thread may pass a batch through the network meanwhile. The number of its rows must
        # not decide about the pieces, because sums over other pieces are rounded differently.
        if isinstance(output, torch.Tensor) and threading.get_ident() == thread:
            largest = max(largest, output.numel() * output.element_size())

    hooks = [module.register_forward_hook(record_size) for module in network.modules()]
    try:
        with evaluating(network):
            network(rows)
    finally:
        for hook in hooks:
            hook.remove()
    return max(1, largest // len(rows))
