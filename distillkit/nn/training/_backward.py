"""Gradients of a batch's loss, by pieces of the batch and by threads."""

from __future__ import annotations

import torch
from torch import nn

from distillkit.nn.runtime._device import mixed_precision
from distillkit.nn.runtime._pieces import in_pieces
from distillkit.nn.runtime._threads import Threads
from distillkit.nn.training._losses import RowLoss

__all__ = ["Backward"]


class Backward:
    """Puts the gradients of the mean loss of a batch into the weights.

    Parameters
    ----------
    network : Module
    loss : RowLoss
    precision : {"float32", "bfloat16", "auto"}
    piece : int
        Rows that go through the network at a time, at most.
    shared : int
        Rows of a batch from which the threads share it, even where it is small enough for one piece.
    threads : Threads
    scale : tensor of shape (n,) or None
        Factor of each row's loss.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: RowLoss,
        precision: str,
        piece: int,
        shared: int,
        threads: Threads,
        scale: torch.Tensor | None = None,
    ) -> None:
        self.network, self.loss, self.precision = network, loss, precision
        self.piece, self.shared, self.threads, self.scale = piece, shared, threads, scale

    def __call__(self, batch: torch.Tensor, rows: torch.Tensor) -> float:
        """Replace the gradients of the weights by those of this batch; return the loss.

        Parameters
        ----------
        batch : tensor of shape (b, ...)
        rows : tensor of shape (b,)
            Their numbers, by which the loss finds their targets.
        """
        most = self.piece
        if len(rows) >= self.shared:
            most = min(most, -(-len(rows) // self.threads.count))
        parts = in_pieces(len(rows), most)
        weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        if len(parts) == 1:
            value = self._value(batch, rows, len(rows))
            for weight in weights:
                weight.grad = None
            value.backward()  # type: ignore[no-untyped-call]
            return float(value.item())

        def piece(part: slice) -> tuple[float, tuple[torch.Tensor | None, ...]]:
            value = self._value(batch[part], rows[part], len(rows))
            return float(value.item()), torch.autograd.grad(value, weights, allow_unused=True)

        found = self.threads.map(piece, parts)
        for place, weight in enumerate(weights):
            given = [gradients[place] for _, gradients in found]
            weight.grad = _sum([gradient for gradient in given if gradient is not None])
        return sum(value for value, _ in found)

    def _value(self, batch: torch.Tensor, rows: torch.Tensor, n_rows: int) -> torch.Tensor:
        with mixed_precision(batch.device, self.precision):
            outputs = self.network(batch)
        losses = self.loss(outputs.float(), rows)
        return (losses if self.scale is None else losses * self.scale[rows]).sum() / n_rows


def _sum(gradients: list[torch.Tensor]) -> torch.Tensor | None:
    if not gradients:
        return None
    total = gradients[0].clone()
    for gradient in gradients[1:]:
        total += gradient
    return total
