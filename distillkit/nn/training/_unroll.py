"""Training as a function that can be differentiated: gradient descent unrolled, with the graph of its last steps kept."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.func import functional_call

__all__ = ["unroll"]


def unroll(
    network: nn.Module,
    rows: torch.Tensor,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    steps: int,
    rate: torch.Tensor | float,
    window: int | None = None,
) -> dict[str, torch.Tensor]:
    """Train a network's weights by full-batch gradient descent, without touching the network.

    ``w_{t+1} = w_t - rate * dL(w_t, rows, targets)/dw_t`` for `steps` steps. The result depends differentiably on rows, targets and
    rate through the last `window` steps; to those before it is constant (truncated backpropagation).

    Parameters
    ----------
    network : Module
        Gives the first weights. Frozen ones stay.
    rows : tensor of shape (m, ...)
    targets : tensor of shape (m,) or (m, k)
    loss : callable
        ``loss(outputs, targets)``: the mean loss ().
    steps : int
        0 or more.
    rate : tensor of shape () or float
    window : int or None
        Last steps to differentiate through: memory grows with them. None is all, 0 none.

    Returns
    -------
    dict of str to tensor
        Trained weights by name, for `torch.func.functional_call`.

    References
    ----------
    Wang et al., "Dataset distillation", arXiv:1811.10959; truncation: Feng, Vedantam and Kempe, "Embarrassingly simple dataset
    distillation", ICLR 2024.
    """
    first = 0 if window is None else max(0, steps - window)
    fixed = rows.detach(), targets.detach(), rate.detach() if isinstance(rate, torch.Tensor) else rate
    weights = {name: weight.detach() for name, weight in network.named_parameters() if weight.requires_grad}
    for step in range(steps):
        inside = step >= first
        if step <= first:  # from here on weights are part of the graph, or they never are
            weights = _leaves(weights)
        leaves = (rows, targets, rate) if inside else fixed
        weights = _descend(network, weights, loss, *leaves, graph=inside)
    return weights


def _leaves(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: weight.detach().requires_grad_() for name, weight in weights.items()}


def _descend(
    network: nn.Module,
    weights: dict[str, torch.Tensor],
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    rows: torch.Tensor,
    targets: torch.Tensor,
    rate: torch.Tensor | float,
    *,
    graph: bool,
) -> dict[str, torch.Tensor]:
    value = loss(functional_call(network, weights, (rows,)), targets)
    gradients = torch.autograd.grad(value, list(weights.values()), create_graph=graph, materialize_grads=True)
    moved = {
        name: weight - rate * gradient for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
    }
    return moved if graph else {name: weight.detach() for name, weight in moved.items()}
