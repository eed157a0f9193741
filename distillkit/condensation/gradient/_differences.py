"""Finite differences in the weights, in place of second derivatives of the training loss."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from distillkit.condensation.problem._problem import Batch, Loss
from distillkit.nn import draws_random_numbers, in_pieces, rows_per_piece, seeded, takes_threads

__all__ = ["STEP", "difference", "differentiated", "same_draws", "stacked_difference"]

STEP = 0.03
"""Step of the central differences, relative to the norm of the weights.

Steps of 0.01 to 0.1 reach smaller matching distances than exact derivatives; larger ones are worse
with the distance "l1".
"""


def differentiated(batch: Batch) -> list[torch.Tensor]:
    """Return the tensors of a batch that require a gradient: the rows, and learned targets."""
    return [tensor for tensor in batch if tensor.requires_grad]


def same_draws(network: nn.Module) -> Callable[[], Any]:
    """Return a context in which a network repeats its random draws, such as dropout masks."""
    if not draws_random_numbers(network):
        return nullcontext
    seed = int(torch.randint(2**31, ()))
    return lambda: seeded(seed)


def difference(
    network: nn.Module,
    weights: dict[str, torch.Tensor],
    direction: Sequence[torch.Tensor],
    batch: Batch,
    loss: Loss,
    step: float,
    draws: Callable[[], Any],
) -> list[torch.Tensor]:
    r"""Differentiate the component of a batch's gradient along a direction, by finite differences.

    The direction :math:`v` may be the derivative of a distance with respect to the gradient. The
    derivative with respect to the rows :math:`x` is a central difference in the weights :math:`w`:

    .. math:: \partial_x \langle v, \nabla_w L(w, x) \rangle \approx
        \frac{\nabla_x L(w + h v, x) - \nabla_x L(w - h v, x)}{2 h},
        \qquad h = \text{step} \, \|w\| / \|v\|.

    The formula follows from the symmetry of second derivatives. For a smooth network, its error is
    of the order of the squared step. The gradient of a ReLU network with respect to its weights
    jumps wherever a change of the rows switches a unit. The exact derivative misses these jumps;
    finite differences capture them. They also need no graph of the gradients.

    Parameters
    ----------
    network : Module
    weights : dict of str to tensor
        Parameters of which the gradient is differentiated.
    direction : sequence of tensors
        One for each weight.
    batch : Batch
    loss : Loss
    step : float
        Step to each side, relative to the norm of the weights.
    draws : callable
        Context from `same_draws`.

    Returns
    -------
    list of tensors
        One for each tensor of the batch that requires a gradient.

    References
    ----------
    The difference in place of a product with a matrix of second derivatives: Liu, Simonyan and
    Yang, "DARTS: Differentiable architecture search", ICLR 2019, equation 8.
    """
    # A functional call replaces the weights of a module temporarily, so that threads need replicas.
    replica = copy.deepcopy(network) if takes_threads(network) else network
    parameters = {name: weight.detach() for name, weight in network.named_parameters()}
    # 1. Scale the step to the norms of the weights and of the direction.
    scale = float(_step_scale([parameters[name] for name in weights], direction, step, stacked=False))
    # 2. Move the weights to each side, and compute the gradient with respect to the rows there.
    sides = []
    for sign in (1, -1):
        moved = {
            name: parameters[name].add(part, alpha=sign * scale) for name, part in zip(weights, direction, strict=True)
        }
        with draws():
            sides.append(_row_gradients(replica, {**parameters, **moved}, batch, loss))
    # 3. Divide the difference by the distance between both sides.
    return [(plus - minus) / (2 * scale) for plus, minus in zip(*sides, strict=True)]


def _row_gradients(
    network: nn.Module, weights: dict[str, torch.Tensor], batch: Batch, loss: Loss
) -> list[torch.Tensor]:
    """Return the gradients of the mean loss for those tensors of a batch that require one."""
    requires = [tensor.requires_grad for tensor in batch]
    parts: list[tuple[torch.Tensor, ...]] = []
    for piece in in_pieces(len(batch[0]), rows_per_piece(network, batch[0])):
        rows, targets = (
            tensor.detach()[piece].requires_grad_(required) for tensor, required in zip(batch, requires, strict=True)
        )
        value = loss(functional_call(network, weights, (rows,)), targets) * (len(rows) / len(batch[0]))
        parts.append(torch.autograd.grad(value, differentiated((rows, targets))))
    return [torch.cat(tensors) for tensors in zip(*parts, strict=True)]


def stacked_difference(
    network: nn.Module,
    weights: dict[str, torch.Tensor],
    direction: Sequence[torch.Tensor],
    batch: Batch,
    loss: Loss,
    step: float,
) -> list[torch.Tensor]:
    """Compute `difference` for several batches of equal size at once, each with a direction."""
    parameters = {name: weight.detach() for name, weight in network.named_parameters()}
    argnums = tuple(number for number, tensor in enumerate(batch) if tensor.requires_grad)
    scales = _step_scale([parameters[name] for name in weights], direction, step, stacked=True)

    def value(rows: torch.Tensor, targets: torch.Tensor, moved: dict[str, torch.Tensor]) -> torch.Tensor:
        return loss(functional_call(network, {**parameters, **moved}, (rows,)), targets)

    row_gradients = vmap(grad(value, argnums=argnums))
    sides = []
    for sign in (1, -1):
        moved = {
            name: parameters[name] + sign * _broadcast(scales, part) * part
            for name, part in zip(weights, direction, strict=True)
        }
        sides.append(row_gradients(batch[0].detach(), batch[1].detach(), moved))
    return [(plus - minus) / _broadcast(2 * scales, plus) for plus, minus in zip(*sides, strict=True)]


def _step_scale(
    weights: Sequence[torch.Tensor], direction: Sequence[torch.Tensor], step: float, *, stacked: bool
) -> torch.Tensor:
    """Return the factor of the direction by which the weights move to each side."""
    weight_norm = torch.stack([weight.detach().square().sum() for weight in weights]).sum().sqrt()
    axis = 1 if stacked else 0
    direction_norm = torch.stack([part.square().flatten(axis).sum(axis) for part in direction]).sum(0).sqrt()
    # Along a direction of zeros, the difference is zero for every step; 1 then replaces its norm.
    return step * torch.where(weight_norm > 0, weight_norm, 1) / torch.where(direction_norm > 0, direction_norm, 1)


def _broadcast(scales: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Add axes to one scale per batch, so that it multiplies stacked tensors."""
    return scales.view(-1, *[1] * (like.ndim - 1))
