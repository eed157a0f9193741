"""Gradients of weights, differentiated by rows without a graph of the gradients: by differences in the weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from distillkit.condensation.problem._problem import Batch, Loss
from distillkit.nn import in_pieces, rows_per_piece, seeded, takes_threads

__all__ = ["STEP", "difference", "differentiated", "same_draws", "stacked_difference"]

# Measured on MNIST, sixty steps of ten images against the gradient of 512 (width 32, "l1" and "layer-cosine", networks fresh and trained):
# .01 and .03 come to .6 to .85 of the distance that exact derivatives come to, .1 to .55 to 1, and .3 is worse with "l1".
STEP = 0.03
"""Of the weights to both sides, in their norm."""


def differentiated(batch: Batch) -> list[torch.Tensor]:
    """Return the tensors of a batch that take a gradient: the rows, and targets that are learned."""
    return [tensor for tensor in batch if tensor.requires_grad]


def same_draws(network: nn.Module) -> Callable[[], Any]:
    """Return a context in which the network draws the same random numbers (masks of dropout) each time."""
    if takes_threads(network):  # draws none
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
    r"""Differentiate, by differences in the weights, the share of a direction in the gradient of the mean loss of a batch.

    For a direction :math:`v`, in the distance's own derivative by the gradient, say, that by the rows :math:`x` is

    .. math:: \partial_x \langle v, \nabla_w L(w, x) \rangle \approx
        \frac{\nabla_x L(w + h v, x) - \nabla_x L(w - h v, x)}{2 h}, \qquad h = \text{step} \, \|w\| / \|v\|,

    by the symmetry of second derivatives. For smooth networks both sides agree up to the square of the step. Where there are ReLUs, gradients
    of weights jump as rows move and units switch; the derivative, which is taken between the jumps, does not see them, and the difference does.

    Parameters
    ----------
    network : Module
    weights : dict of str to tensor
        Those that the gradient is of.
    direction : sequence of tensors
        One for each weight.
    batch : Batch
    loss : Loss
    step : float
        Of the weights to both sides, in their norm.
    draws : callable
        From `same_draws`.

    Returns
    -------
    list of tensors
        One for each tensor of the batch that takes a gradient.

    References
    ----------
    The difference in place of a product with a matrix of second derivatives: Liu, Simonyan and Yang, "DARTS: Differentiable architecture
    search", ICLR 2019, equation 8.
    """
    # a call with other weights puts them into the module for that time
    own = copy.deepcopy(network) if takes_threads(network) else network
    fixed = {name: weight.detach() for name, weight in network.named_parameters()}
    size = float(_size([fixed[name] for name in weights], direction, step, stacked=False))
    sides = []
    for sign in (1, -1):
        moved = {name: fixed[name].add(part, alpha=sign * size) for name, part in zip(weights, direction, strict=True)}
        with draws():
            sides.append(_by_rows(own, {**fixed, **moved}, batch, loss))
    return [(first - second) / (2 * size) for first, second in zip(*sides, strict=True)]


def _by_rows(network: nn.Module, weights: dict[str, torch.Tensor], batch: Batch, loss: Loss) -> list[torch.Tensor]:
    """Return the gradients of the mean loss, at these weights, by those tensors of a batch that take one."""
    takes = [tensor.requires_grad for tensor in batch]
    parts: list[tuple[torch.Tensor, ...]] = []
    for some in in_pieces(len(batch[0]), rows_per_piece(network, batch[0])):
        own = [tensor.detach()[some].requires_grad_(take) for tensor, take in zip(batch, takes, strict=True)]
        value = loss(functional_call(network, weights, (own[0],)), own[1]) * (len(own[0]) / len(batch[0]))
        parts.append(torch.autograd.grad(value, differentiated((own[0], own[1]))))
    return [torch.cat(tensors) for tensors in zip(*parts, strict=True)]


def stacked_difference(
    network: nn.Module,
    weights: dict[str, torch.Tensor],
    direction: Sequence[torch.Tensor],
    batch: Batch,
    loss: Loss,
    step: float,
) -> list[torch.Tensor]:
    """Do as `difference`, for several equal batches at once, each with a direction of its own."""
    fixed = {name: weight.detach() for name, weight in network.named_parameters()}
    takes = tuple(number for number, tensor in enumerate(batch) if tensor.requires_grad)
    size = _size([fixed[name] for name in weights], direction, step, stacked=True)

    def value(rows: torch.Tensor, targets: torch.Tensor, chosen: dict[str, torch.Tensor]) -> torch.Tensor:
        return loss(functional_call(network, {**fixed, **chosen}, (rows,)), targets)

    by_rows = vmap(grad(value, argnums=takes))
    sides = []
    for sign in (1, -1):
        moved = {
            name: fixed[name] + sign * _along(size, part) * part for name, part in zip(weights, direction, strict=True)
        }
        sides.append(by_rows(batch[0].detach(), batch[1].detach(), moved))
    return [(first - second) / _along(2 * size, first) for first, second in zip(*sides, strict=True)]


def _size(
    weights: Sequence[torch.Tensor], direction: Sequence[torch.Tensor], step: float, *, stacked: bool
) -> torch.Tensor:
    """Return by how much of the direction the weights move to each side."""
    base = torch.stack([weight.detach().square().sum() for weight in weights]).sum().sqrt()
    axis = 1 if stacked else 0
    far = torch.stack([part.square().flatten(axis).sum(axis) for part in direction]).sum(0).sqrt()
    # a direction of zeros is one whose share does not change, at whatever step
    return step * torch.where(base > 0, base, 1) / torch.where(far > 0, far, 1)


def _along(sizes: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return sizes.view(-1, *[1] * (like.ndim - 1))
