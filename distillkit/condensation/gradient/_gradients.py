"""Gradient matching: the distance between real and synthetic gradients, and its derivative."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from distillkit.condensation.gradient._differences import difference, differentiated, same_draws, stacked_difference
from distillkit.condensation.problem._problem import Batch, Loss
from distillkit.distances import gradient_distance, gradient_similarity
from distillkit.nn import Augmentation, Threads, in_pieces, mixed_precision, rows_per_piece
from distillkit.nn.runtime._seeding import seeded_or_not

__all__ = [
    "Change",
    "Gradient",
    "GradientComparison",
    "Weights",
    "batch_gradients",
    "fits_one_vmap",
    "match_gradients",
    "matched_weights",
    "shared_change",
]

Weights = dict[str, torch.Tensor]
"""Parameters of a network by name."""

Gradient = list[torch.Tensor]
"""One tensor per weight, in the order of the weights."""

Change = Callable[[torch.Tensor], torch.Tensor]
"""A differentiable transformation of rows: an augmentation whose parameters are already drawn."""

_Task = tuple[int | None, nn.Module, Gradient, Batch]
"""The seed of a group, the network, the real gradient of the group, and its synthetic rows."""

# One vectorized pass over all groups is faster than a pass for each group only if the groups are
# small. It also keeps the graphs of all groups in memory at once. Groups therefore go together if
# each has at most _MAX_GROUP_ROWS rows, or all have at most _MAX_TOTAL_ROWS rows.
_MAX_GROUP_ROWS, _MAX_TOTAL_ROWS = 4, 100


@dataclass(frozen=True)
class GradientComparison:
    """Result of comparing the gradients of real rows with those of synthetic rows.

    Parameters
    ----------
    loss : float
        Sum over the groups of the distance between both gradients.
    similarity : float
        Mean over the groups of the cosine similarity of both gradients.
    gradients : list of tensors
        Gradients of the loss with respect to each of the leaves.
    """

    loss: float
    similarity: float
    gradients: list[torch.Tensor]


def shared_change(augment: Augmentation | None, generator: torch.Generator) -> Change | None:
    """Draw one augmentation for both real and synthetic rows; None without augmentation."""
    if augment is None:
        return None
    draw = augment.draw(1, generator, shared=True)
    return lambda rows: augment(rows, draw)


def fits_one_vmap(sizes: Sequence[int]) -> bool:
    """Return whether groups are equal and small enough to share one vectorized pass."""
    equal = len(sizes) > 1 and len(set(sizes)) == 1
    return equal and (sizes[0] <= _MAX_GROUP_ROWS or sum(sizes) <= _MAX_TOTAL_ROWS)


def matched_weights(network: nn.Module, distance: str) -> Weights:
    """Return the trainable parameters whose gradients a distance compares.

    The distance "layer-cosine" ignores parameters with fewer than two axes, such as biases.
    """
    return {
        name: weight
        for name, weight in network.named_parameters()
        if weight.requires_grad and (weight.ndim > 1 or distance != "layer-cosine")
    }


def batch_gradients(
    network: nn.Module, weights: Weights, batch: Batch, loss: Loss, *, precision: str = "float32", graph: bool = False
) -> Gradient:
    """Return the gradient of the mean loss of a batch with respect to each weight.

    With `graph`, the gradient is itself differentiable. Without, the rows go through the network in
    pieces, whose gradients are added, to limit the memory needed.
    """
    rows, targets = batch
    pieces = [slice(None)] if graph else in_pieces(len(rows), rows_per_piece(network, rows))
    total: Gradient = []
    for piece in pieces:
        with mixed_precision(rows.device, precision):
            outputs = network(rows[piece])
        value = loss(outputs.float() if outputs.dtype == torch.bfloat16 else outputs, targets[piece])
        if len(pieces) > 1:
            value = value * (len(outputs) / len(rows))
        gradient = torch.autograd.grad(value, list(weights.values()), create_graph=graph)
        total = [first.add_(second) for first, second in zip(total, gradient, strict=True)] if total else list(gradient)
    return total


def match_gradients(
    network: nn.Module,
    weights: Weights,
    real: Sequence[Gradient],
    synthetic: Sequence[Batch],
    loss: Loss,
    distance: str,
    leaves: Sequence[torch.Tensor],
    *,
    step: float | None = None,
    vectorize: bool = False,
    change: Change | None = None,
    threads: Threads | None = None,
    seeds: Sequence[int | None] | None = None,
) -> GradientComparison:
    """Compare the gradients of synthetic rows with those of real rows, and differentiate the loss.

    Parameters
    ----------
    network : Module
    weights : dict of str to tensor
        Parameters whose gradients are compared.
    real : sequence of Gradient
        Gradients of the real rows of each group, from `batch_gradients`.
    synthetic : sequence of Batch
        Synthetic rows and targets of each group, computed from the leaves.
    loss : Loss
    distance : {"layer-cosine", "cosine", "l1", "l2"}
        Distance between two gradients; see `distillkit.distances.gradient_distance`.
    leaves : sequence of tensors
        Tensors to differentiate with respect to.
    step : float or None, default=None
        None differentiates exactly, through the graph of the synthetic gradients. A number uses
        finite differences with this relative step in the weights, which need no such graph; see
        `difference`.
    vectorize : bool, default=False
        Whether several groups may go through the network in one pass (`torch.func.vmap`) if they
        are equal and small. Only valid for networks that process each row independently.
    change : callable or None
        Transformation that is applied to the rows of each group.
    threads : Threads or None
        Threads that compare the groups: one group at a time, or with `vectorize` an equal part of
        the groups each.
    seeds : sequence of int or None
        Seed of each group for a network that draws random numbers, such as dropout; None leaves
        the draws to the state of torch.

    Returns
    -------
    GradientComparison
    """
    if change is not None:
        synthetic = [(change(rows), targets) for rows, targets in synthetic]
    threads = threads or Threads(allowed=False)
    tasks: list[_Task]
    # 1. Divide the groups into tasks: one per thread if groups are stacked, else one per group.
    stacked = vectorize and fits_one_vmap([len(rows) for rows, _ in synthetic])
    if stacked:
        tasks = [
            (
                None,
                replica,
                [torch.stack(gradients) for gradients in zip(*real[groups], strict=True)],
                _stacked(synthetic[groups]),
            )
            for replica, groups in _groups_per_thread(network, len(real), threads)
        ]
    else:
        seeds = seeds or [None] * len(real)
        tasks = [(seed, network, first, second) for seed, first, second in zip(seeds, real, synthetic, strict=True)]

    # 2. Compare the gradients of each task, and differentiate the distance for its rows.
    def compare(task: _Task) -> GradientComparison:
        seed, replica, real_gradient, batch = task
        with seeded_or_not(seed):
            return _compare(replica, weights, real_gradient, batch, loss, distance, step, stacked=stacked)

    matches = threads.map(compare, tasks)

    # 3. Propagate the derivatives from the rows of all tasks to the leaves.
    pairs = [
        pair
        for (_, _, _, batch), match in zip(tasks, matches, strict=True)
        for pair in zip(differentiated(batch), match.gradients, strict=True)
    ]
    tensors, gradients = zip(*pairs, strict=True)
    return GradientComparison(
        sum(match.loss for match in matches),
        sum(match.similarity for match in matches) / len(real),
        list(torch.autograd.grad(tensors, leaves, gradients)),
    )


def _compare(
    network: nn.Module,
    weights: Weights,
    real: Gradient,
    batch: Batch,
    loss: Loss,
    distance: str,
    step: float | None,
    *,
    stacked: bool,
) -> GradientComparison:
    """Compare one group, or several that are stacked along a new first axis.

    The gradients returned are those of the tensors of the batch that require one.
    """
    # 1. Compute the gradient of the synthetic rows: with a graph, or as a leaf for differences.
    exact = step is None
    draws = nullcontext if exact else same_draws(network)
    inputs = batch if exact else (batch[0].detach(), batch[1].detach())
    with draws():
        if stacked:
            synthetic = _stacked_gradients(network, weights, inputs, loss)
        else:
            synthetic = batch_gradients(network, weights, inputs, loss, graph=exact)
    synthetic = synthetic if exact else [part.detach().requires_grad_() for part in synthetic]
    # 2. Differentiate its distance from the real gradient: with respect to the rows if exact, else
    #    with respect to the synthetic gradient.
    value = gradient_distance(real, synthetic, distance, stacked=stacked).sum()
    derivative = list(torch.autograd.grad(value, differentiated(batch) if exact else synthetic))
    # 3. Finite differences along that derivative replace the second backward pass.
    if step is None:
        gradients = derivative
    elif stacked:
        gradients = stacked_difference(network, weights, derivative, batch, loss, step)
    else:
        gradients = difference(network, weights, derivative, batch, loss, step, draws)
    with torch.no_grad():
        similarity = float(gradient_similarity(real, synthetic, stacked=stacked).sum())
    return GradientComparison(float(value.detach()), similarity, gradients)


def _groups_per_thread(network: nn.Module, n_groups: int, threads: Threads) -> list[tuple[nn.Module, slice]]:
    """Divide the groups equally among the threads, with a replica of the network for each.

    Threads within a single pass would have to wait for each other at every operation. Separate
    networks are necessary because a functional call replaces the weights of a module temporarily.
    """
    slices = in_pieces(n_groups, -(-n_groups // threads.count))
    return [(copy.deepcopy(network) if groups.start else network, groups) for groups in slices]


def _stacked(batches: Sequence[Batch]) -> Batch:
    rows, targets = (torch.stack(part) for part in zip(*batches, strict=True))
    return rows, targets


def _stacked_gradients(network: nn.Module, weights: Weights, batch: Batch, loss: Loss) -> Gradient:
    """Return the gradient of each stacked group, stacked along the first axis of each tensor."""
    parameters = {name: weight.detach() for name, weight in network.named_parameters()}

    def value(compared: Weights, rows: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return loss(functional_call(network, {**parameters, **compared}, (rows,)), targets)

    gradients = vmap(grad(value), in_dims=(None, 0, 0))({name: parameters[name] for name in weights}, *batch)
    return [gradients[name] for name in weights]
