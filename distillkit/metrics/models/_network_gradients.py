"""Networks at several steps of their training on training rows, and gradients of their loss."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from distillkit.nn import evaluating, make_generator, make_network, seeded_layers

__all__ = ["checkpoints_of", "loss_gradient"]

_LEARNING_RATE, _MOMENTUM = 0.01, 0.9
_BLOCK_ROWS = 512


def checkpoints_of(
    network: str | Callable[[tuple[int, ...], int], nn.Module],
    X: np.ndarray,
    targets: np.ndarray,
    steps: Sequence[int],
    seed: int,
    width: int | None,
    batch_size: int = 32,
) -> list[nn.Module]:
    """Train a network, and return copies of it after some numbers of steps.

    Parameters
    ----------
    network : str or callable
        See `distillkit.nn.make_network`.
    X : ndarray of shape (n, ...)
        Scaled rows.
    targets : ndarray of shape (n, k)
        Class indicators, or one column of standardized numbers.
    steps : sequence of int
        Sorted and different numbers of steps, each of one batch; 0 is before the training.
    seed : int
        Seed of the initial weights and of the order of the rows.
    width : int or None
        Channels of named convolutional networks.
    batch_size : int, default=32
        Rows of one step.

    Returns
    -------
    list of Module
    """
    rows, values = _tensor(X), _tensor(targets)
    module = make_network(network, tuple(X.shape[1:]), targets.shape[1], seed=seed, width=width)
    optimizer = torch.optim.SGD(module.parameters(), _LEARNING_RATE, _MOMENTUM)
    generator, order = make_generator(seed), torch.empty(0, dtype=torch.long)
    copies: list[nn.Module] = []
    batch = min(batch_size, len(rows))
    with seeded_layers(module, seed):
        module.train()
        for step in range(steps[-1] + 1):
            if step in steps:
                copies.append(copy.deepcopy(module))
            if step == steps[-1]:
                break
            if len(order) < batch:  # a new pass over the rows in another order
                order = torch.randperm(len(rows), generator=generator)
            chosen, order = order[:batch], order[batch:]
            optimizer.zero_grad()
            _losses(module(rows[chosen]), values[chosen]).mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return copies


def loss_gradient(module: nn.Module, X: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> list[torch.Tensor]:
    """Return the gradient of the weighted mean loss of rows, in evaluation mode.

    The loss is the cross-entropy with the targets as probabilities, or the squared error of a
    single column. Normalization layers therefore use what they have learned, and dropout is off.

    Parameters
    ----------
    module : Module
    X : ndarray of shape (m, ...)
    targets : ndarray of shape (m, k)
    weight : ndarray of shape (m,)

    Returns
    -------
    list of Tensor
        One for each trainable parameter.
    """
    rows, values, shares = _tensor(X), _tensor(targets), _tensor(weight / weight.sum())
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    total = [torch.zeros_like(parameter) for parameter in parameters]
    with evaluating(module):
        for start in range(0, len(rows), _BLOCK_ROWS):
            part = slice(start, start + _BLOCK_ROWS)
            loss = (_losses(module(rows[part]), values[part]) * shares[part]).sum()
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
            total = [before if more is None else before + more for before, more in zip(total, gradients, strict=True)]
    return total


def _losses(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    if targets.shape[1] == 1:
        return (outputs[:, 0] - targets[:, 0]).square()
    return -(targets * F.log_softmax(outputs, dim=1)).sum(dim=1)


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.ascontiguousarray(values, dtype=np.float32))
