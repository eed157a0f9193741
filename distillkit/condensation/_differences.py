"""The distance between gradients, differentiated by the rows without a graph of the gradients: by differences in the weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from distillkit.condensation._gradients import (
    Change,
    Gradient,
    Match,
    Weights,
    batch_gradients,
    goes_in_one_pass,
    of_parts,
    stacked_gradients,
)
from distillkit.condensation._problem import Batch, Loss
from distillkit.distances import gradient_distance, gradient_similarity
from distillkit.nn import Threads, in_pieces, rows_per_piece, seeded, takes_threads

__all__ = ["match_by_differences"]

# Of the norm of the weights. Measured on MNIST, sixty steps of ten images against the gradient of 512 (width 32, "l1" and "layer-cosine", networks
# fresh and trained): .01 and .03 come to .6 to .85 of the distance that exact derivatives come to, .1 to .55 to 1, and .3 is worse with "l1".
_STEP = 0.03


def match_by_differences(
    network: nn.Module,
    weights: Weights,
    real: Sequence[Gradient],
    synthetic: Sequence[Batch],
    loss: Loss,
    distance: str,
    leaves: Sequence[torch.Tensor],
    *,
    vectorize: bool = False,
    change: Change | None = None,
    threads: Threads | None = None,
    step: float = _STEP,
) -> Match:
    r"""Compare gradients as `match_gradients` does, and differentiate their distance by differences in the weights.

    With :math:`v` the derivative of the distance by the synthetic gradient, that by the rows :math:`x` is

    .. math:: \partial_x \langle v, \nabla_w L(w, x) \rangle \approx
        \frac{\nabla_x L(w + h v, x) - \nabla_x L(w - h v, x)}{2 h}, \qquad h = \text{step} \, \|w\| / \|v\|,

    by the symmetry of second derivatives. For smooth networks both sides agree up to the square of the step. Where there are ReLUs, gradients
    of weights jump as rows move and units switch; the derivative, which is taken between the jumps, does not see them, and the difference does.

    Parameters
    ----------
    network, weights, real, synthetic, loss, distance, leaves, vectorize, change, threads
        See `match_gradients`.
    step : float, default=0.03
        Of the weights to both sides, in their norm.

    Returns
    -------
    Match

    References
    ----------
    The difference in place of a product with a matrix of second derivatives: Liu, Simonyan and Yang, "DARTS: Differentiable architecture
    search", ICLR 2019, equation 8.
    """
    if change is not None:
        synthetic = [(change(rows), targets) for rows, targets in synthetic]
    threads = threads or Threads(allowed=False)

    def of_group(number: int) -> _Found:
        batch = synthetic[number]
        draws = _draws(network)
        with draws():
            own = batch_gradients(network, weights, _still(batch), loss)
        seen = _Seen.of(real[number], own, distance, stacked=False)
        return _Found(seen, _difference(network, weights, seen.direction, batch, loss, step, draws))

    def of_groups(item: tuple[nn.Module, slice]) -> _Found:
        own, part = item
        batch = tuple(torch.stack(tensors) for tensors in zip(*synthetic[part], strict=True))
        first, second = stacked_gradients(own, weights, real[part], [_still(one) for one in synthetic[part]], loss)
        seen = _Seen.of(first, second, distance, stacked=True)
        return _Found(seen, _stacked_difference(own, weights, seen.direction, batch, loss, step))

    if vectorize and goes_in_one_pass([len(rows) for rows, _ in synthetic]):
        parts = of_parts(network, len(real), threads)
        found = threads.map(of_groups, parts)
        wanted = [tuple(torch.stack(tensors) for tensors in zip(*synthetic[part], strict=True)) for _, part in parts]
    else:
        found = threads.map(of_group, range(len(real)))
        wanted = list(synthetic)
    pairs = [
        (tensor, gradient)
        for batch, one in zip(wanted, found, strict=True)
        for tensor, gradient in zip((part for part in batch if part.requires_grad), one.gradients, strict=True)
    ]
    tensors, gradients = zip(*pairs, strict=True)
    return Match(
        sum(one.seen.loss for one in found),
        sum(one.seen.similarity for one in found) / len(real),
        list(torch.autograd.grad(tensors, leaves, gradients)),
    )


@dataclass(frozen=True)
class _Seen:
    """The distance between gradients, and its derivative by the synthetic ones."""

    loss: float
    similarity: float
    direction: Gradient

    @classmethod
    def of(cls, real: Gradient, own: Gradient, distance: str, *, stacked: bool) -> _Seen:
        own = [part.detach().requires_grad_() for part in own]
        value = gradient_distance(real, own, distance, stacked=stacked).sum()
        direction = torch.autograd.grad(value, own)
        with torch.no_grad():
            similarity = float(gradient_similarity(real, own, stacked=stacked).sum())
        return cls(float(value.detach()), similarity, list(direction))


@dataclass(frozen=True)
class _Found:
    """What was seen of a group, or of several, and the gradients of those tensors of the batch that take one."""

    seen: _Seen
    gradients: list[torch.Tensor]


def _still(batch: Batch) -> Batch:
    rows, targets = batch
    return rows.detach(), targets.detach()


def _draws(network: nn.Module) -> Callable[[], Any]:
    """Return a context in which the network draws the same random numbers (masks of dropout) each time."""
    if takes_threads(network):  # draws none
        return nullcontext
    seed = int(torch.randint(2**31, ()))
    return lambda: seeded(seed)


def _difference(
    network: nn.Module,
    weights: Weights,
    direction: Gradient,
    batch: Batch,
    loss: Loss,
    step: float,
    draws: Callable[[], Any],
) -> list[torch.Tensor]:
    """Differentiate the direction's share of the gradient by the tensors of one batch."""
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


def _by_rows(network: nn.Module, weights: Weights, batch: Batch, loss: Loss) -> list[torch.Tensor]:
    """Return the gradients of the mean loss, at these weights, by those tensors of a batch that take one."""
    takes = [tensor.requires_grad for tensor in batch]
    parts: list[tuple[torch.Tensor, ...]] = []
    for some in in_pieces(len(batch[0]), rows_per_piece(network, batch[0])):
        own = [tensor.detach()[some].requires_grad_(take) for tensor, take in zip(batch, takes, strict=True)]
        value = loss(functional_call(network, weights, (own[0],)), own[1]) * (len(own[0]) / len(batch[0]))
        parts.append(torch.autograd.grad(value, [tensor for tensor in own if tensor.requires_grad]))
    return [torch.cat(tensors) for tensors in zip(*parts, strict=True)]


def _stacked_difference(
    network: nn.Module,
    weights: Weights,
    direction: Gradient,
    batch: tuple[torch.Tensor, ...],
    loss: Loss,
    step: float,
) -> list[torch.Tensor]:
    """Do as `_difference`, for several equal batches at once, each with a direction of its own."""
    fixed = {name: weight.detach() for name, weight in network.named_parameters()}
    takes = tuple(number for number, tensor in enumerate(batch) if tensor.requires_grad)
    size = _size([fixed[name] for name in weights], direction, step, stacked=True)

    def value(rows: torch.Tensor, targets: torch.Tensor, chosen: Weights) -> torch.Tensor:
        return loss(functional_call(network, {**fixed, **chosen}, (rows,)), targets)

    by_rows = vmap(grad(value, argnums=takes))
    sides = []
    for sign in (1, -1):
        moved = {
            name: fixed[name] + sign * _along(size, part) * part for name, part in zip(weights, direction, strict=True)
        }
        sides.append(by_rows(batch[0].detach(), batch[1].detach(), moved))
    return [(first - second) / _along(2 * size, first) for first, second in zip(*sides, strict=True)]


def _size(weights: Sequence[torch.Tensor], direction: Gradient, step: float, *, stacked: bool) -> torch.Tensor:
    """Return by how much of the direction the weights move to each side."""
    base = torch.stack([weight.detach().square().sum() for weight in weights]).sum().sqrt()
    axis = 1 if stacked else 0
    far = torch.stack([part.square().flatten(axis).sum(axis) for part in direction]).sum(0).sqrt()
    # a direction of zeros is one whose share does not change, at whatever step
    return step * torch.where(base > 0, base, 1) / torch.where(far > 0, far, 1)


def _along(sizes: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return sizes.view(-1, *[1] * (like.ndim - 1))
