"""Batches in pieces that stay in the processor's cache."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from distillkit.nn.runtime._modes import evaluating

__all__ = ["in_pieces", "rows_per_piece", "rows_to_share"]

# Outputs of one layer for a piece. Measured on two cores with 2 MiB of cache each, 256 padded 28x28 images through the
# ConvNet of width 128, forwards and backwards: 0.96 s in pieces of 4 MiB, 1.59 s as one batch of 128 MiB, whose every
# norm, ReLU and pooling goes through memory.
_BYTES = 2**22
_SHARED_BYTES = 2**20  # of one layer for a batch: below, threads cost more than they save
_SHARED = 64  # rows of a batch, for networks without convolutions
_FEWEST = 4
_PROBED = 16  # enough for networks to go the way they go with many rows
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)  # what other layers put out is small
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)

_sizes: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], int]] = WeakKeyDictionary()


def rows_per_piece(network: nn.Module, X: torch.Tensor) -> int:
    """Return how many rows of X to pass through the network at a time, for speed; all, where that would change what is computed.

    That is so in training with batch norm, and on a GPU there is nothing to win.
    """
    plain = max(1, len(X))
    if X.device.type != "cpu" or len(X) <= _FEWEST or not _has(network, _CONVOLUTIONS):
        return plain
    if network.training and _has(network, _BATCH_NORMS):
        return plain
    return max(_FEWEST, _BYTES // _known_output(network, X))


def rows_to_share(network: nn.Module, X: torch.Tensor) -> int:
    """Return from how many rows threads gain by sharing a batch, each alone with its part."""
    if X.device.type != "cpu" or len(X) < 2 or not _has(network, _CONVOLUTIONS):
        return _SHARED
    return max(2, _SHARED_BYTES // _known_output(network, X))


def in_pieces(n_rows: int, most: int) -> list[slice]:
    """Divide rows evenly into pieces of at most `most`."""
    count = -(-n_rows // most)
    return [slice(n_rows * place // count, n_rows * (place + 1) // count) for place in range(count)]


def _has(network: nn.Module, kinds: tuple[type[nn.Module], ...]) -> bool:
    return any(isinstance(module, kinds) for module in network.modules())


def _known_output(network: nn.Module, X: torch.Tensor) -> int:
    known = _sizes.setdefault(network, {})
    shape = tuple(X.shape[1:])
    if shape not in known:
        known[shape] = _largest_output(network, X[:_PROBED])
    return known[shape]


@torch.no_grad()
def _largest_output(network: nn.Module, rows: torch.Tensor) -> int:
    """Bytes of the largest output of one layer for one row."""
    largest = 1

    def note(_module: nn.Module, _args: Any, output: Any) -> None:
        nonlocal largest
        if isinstance(output, torch.Tensor):
            largest = max(largest, output.numel() * output.element_size())

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    try:
        with evaluating(network):
            network(rows)
    finally:
        for hook in hooks:
            hook.remove()
    return max(1, largest // len(rows))
