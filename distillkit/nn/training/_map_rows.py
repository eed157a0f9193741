"""Outputs of a network computed by several threads, differentiable in the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from distillkit.nn.runtime._pieces import in_pieces, rows_per_piece, rows_to_share
from distillkit.nn.runtime._threads import Threads

__all__ = ["map_rows"]

_Map = Callable[[torch.Tensor], torch.Tensor]


def map_rows(
    function: _Map, network: nn.Module, X: torch.Tensor, threads: Threads, *, most: int | None = None
) -> torch.Tensor:
    """Return ``function(X)``, computed in parallel by threads and differentiable in X.

    Each thread passes its own rows through the network, forward and backward, so that threads do
    not have to wait for each other at every layer. The result has a gradient function if X requires
    a gradient; gradients of the weights are not computed.

    Parameters
    ----------
    function : callable
        Maps (n, ...) to (n, d) and treats each row independently, such as the network or its method
        ``embed``.
    network : Module
        The network that the function calls.
    X : tensor of shape (n, ...)
    threads : Threads
        Pool of threads, which must remain open until the gradient has been computed.
    most : int or None, default=None
        Largest number of rows at a time if no gradient is required.

    Returns
    -------
    tensor of shape (n, d)
    """
    # 1. Without gradients, pieces only need to fit the cache.
    if not (X.requires_grad and torch.is_grad_enabled()):
        # Threads start with gradients enabled, so the function itself has to disable them.
        function_without_grad = torch.no_grad()(function)
        parts = in_pieces(len(X), min(most or len(X), rows_per_piece(network, X)))
        return torch.cat(threads.map(lambda part: function_without_grad(X[part]), parts))
    # 2. With gradients, small batches are left to torch, and others are divided among the threads.
    if threads.count == 1 or len(X) < rows_to_share(network, X):
        return function(X)
    parts = in_pieces(len(X), min(rows_per_piece(network, X), -(-len(X) // threads.count)))
    return _MappedRows.apply(X, function, parts, threads)  # type: ignore[no-any-return]


class _MappedRows(Function):
    """Maps parts of the rows by threads, and differentiates each part by a thread, too."""

    @staticmethod
    def forward(ctx: Any, X: torch.Tensor, function: _Map, parts: list[slice], threads: Threads) -> torch.Tensor:
        def forward_piece(part: slice) -> tuple[torch.Tensor, torch.Tensor]:
            with torch.enable_grad():  # the calling thread, inside forward, has disabled them
                rows = X[part].detach().requires_grad_()
                return rows, function(rows)

        ctx.pieces, ctx.parts, ctx.threads = threads.map(forward_piece, parts), parts, threads
        return torch.cat([outputs.detach() for _, outputs in ctx.pieces])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, None, None, None]:
        def backward_piece(index: int) -> torch.Tensor:
            rows, outputs = ctx.pieces[index]
            gradients: tuple[torch.Tensor, ...] = torch.autograd.grad(outputs, rows, grad_output[ctx.parts[index]])
            return gradients[0]

        return torch.cat(ctx.threads.map(backward_piece, range(len(ctx.parts)))), None, None, None
