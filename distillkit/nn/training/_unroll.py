"""Unrolled gradient descent, a training that can be differentiated in the rows and targets."""

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
    """Train copies of a network's weights by differentiable full-batch gradient descent.

    Each of `steps` steps computes ``w_{t+1} = w_t - rate * dL(w_t, rows, targets)/dw_t``. The
    resulting weights are differentiable in the rows, the targets and the rate through the last
    `window` steps; earlier steps are treated as constant (truncated backpropagation). The network
    itself does not change.

    Parameters
    ----------
    network : Module
        Network with the initial weights; frozen weights are not trained.
    rows : tensor of shape (m, ...)
    targets : tensor of shape (m,) or (m, k)
    loss : callable
        Function ``loss(outputs, targets)`` that returns the mean loss, a tensor of shape ().
    steps : int
        Number of steps, at least 0.
    rate : tensor of shape () or float
        Learning rate.
    window : int or None, default=None
        Number of last steps to differentiate through, with which memory grows. None means all
        steps, and 0 none.

    Returns
    -------
    dict of str to tensor
        Trained weights by name, for `torch.func.functional_call`.

    References
    ----------
    Wang et al., "Dataset distillation", arXiv:1811.10959. Truncation: Feng, Vedantam and Kempe,
    "Embarrassingly simple dataset distillation", ICLR 2024.
    """
    first = 0 if window is None else max(0, steps - window)
    fixed = rows.detach(), targets.detach(), rate.detach() if isinstance(rate, torch.Tensor) else rate
    weights = {name: weight.detach() for name, weight in network.named_parameters() if weight.requires_grad}
    for step in range(steps):
        inside = step >= first
        # Cut the graph before the first step of the window; earlier steps build no graph that
        # outlives them.
        if step <= first:
            weights = _leaves(weights)
        leaves = (rows, targets, rate) if inside else fixed
        weights = _descend(network, weights, loss, *leaves, graph=inside)
    return weights


def _leaves(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Detach weights, and make them leaves of a new graph."""
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
    """Do one step of gradient descent; with `graph`, keep it differentiable."""
    value = loss(functional_call(network, weights, (rows,)), targets)
    gradients = torch.autograd.grad(value, list(weights.values()), create_graph=graph, materialize_grads=True)
    updated = {
        name: weight - rate * gradient for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
    }
    return updated if graph else {name: weight.detach() for name, weight in updated.items()}
