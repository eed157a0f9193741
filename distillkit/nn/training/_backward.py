"""Gradients of the loss of a batch, computed in pieces and by several threads."""

from __future__ import annotations

import torch
from torch import nn

from distillkit.nn.runtime._device import mixed_precision
from distillkit.nn.runtime._pieces import in_pieces
from distillkit.nn.runtime._threads import Threads
from distillkit.nn.training._losses import RowLoss

__all__ = ["Backward"]


class Backward:
    """Computes the gradients of the mean loss of a batch and stores them in the weights.

    Parameters
    ----------
    network : Module
    loss : RowLoss
    precision : {"float32", "bfloat16", "auto"}
        Precision of the forward pass, see `mixed_precision`.
    piece : int
        Largest number of rows that pass through the network at a time.
    shared : int
        Number of rows from which a batch is divided among the threads, even if it fits one piece.
    threads : Threads
    scale : tensor of shape (n,) or None, default=None
        Factor of the loss of each row of the training set.
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
        """Replace the gradients of the weights by those of this batch, and return the loss.

        Parameters
        ----------
        batch : tensor of shape (b, ...)
        rows : tensor of shape (b,)
            Positions of these rows in the training set, by which the loss finds their targets.

        Returns
        -------
        float
        """
        # 1. Divide the batch into pieces.
        most = self.piece
        if len(rows) >= self.shared:
            most = min(most, -(-len(rows) // self.threads.count))
        parts = in_pieces(len(rows), most)
        weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        # 2. A single piece needs no threads.
        if len(parts) == 1:
            value = self._value(batch, rows, len(rows))
            for weight in weights:
                weight.grad = None
            value.backward()  # type: ignore[no-untyped-call]
            return float(value.item())

        # 3. Otherwise compute the gradients of each piece in a thread, and add them up in order.
        def piece_gradients(part: slice) -> tuple[float, tuple[torch.Tensor | None, ...]]:
            value = self._value(batch[part], rows[part], len(rows))
            return float(value.item()), torch.autograd.grad(value, weights, allow_unused=True)

        results = self.threads.map(piece_gradients, parts)
        for index, weight in enumerate(weights):
            part_gradients = [gradients[index] for _, gradients in results]
            weight.grad = _sum([gradient for gradient in part_gradients if gradient is not None])
        return sum(value for value, _ in results)

    def _value(self, batch: torch.Tensor, rows: torch.Tensor, n_rows: int) -> torch.Tensor:
        """Return the sum of the losses of some rows, divided by the number of rows of the batch."""
        with mixed_precision(batch.device, self.precision):
            outputs = self.network(batch)
        losses = self.loss(outputs.float(), rows)
        return (losses if self.scale is None else losses * self.scale[rows]).sum() / n_rows


def _sum(gradients: list[torch.Tensor]) -> torch.Tensor | None:
    """Add up the gradients of one weight; None if no piece depends on the weight."""
    if not gradients:
        return None
    total = gradients[0].clone()
    for gradient in gradients[1:]:
        total += gradient
    return total
