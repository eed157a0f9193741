"""Gradients of a network's loss, class by class, and of their distance with respect to the synthetic rows."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from distillkit.condensation._problem import Batch, Loss
from distillkit.distances import gradient_distance, gradient_similarity
from distillkit.nn import Augmentation, Threads, in_pieces, mixed_precision, rows_per_piece

__all__ = [
    "Change",
    "Gradient",
    "Match",
    "Weights",
    "batch_gradients",
    "goes_in_one_pass",
    "match_gradients",
    "matched_weights",
    "of_parts",
    "shared_change",
    "stacked_gradients",
]

Weights = dict[str, torch.Tensor]
"""Parameters of a network by name."""

Gradient = list[torch.Tensor]
"""One tensor per weight, in the order of the weights."""

Change = Callable[[torch.Tensor], torch.Tensor]
"""A differentiable change of rows (an augmentation that is drawn already)."""

# Measured on two cores, ten classes of 28x28, classes together in two passes against one by one, before there were compiled loops: at width 64
# .7 of the time at one row per class and .8 at ten; at width 32 .5 at ten and 1.0 at twenty. The graphs of all classes are held at once.
_FEW_ROWS, _ROWS_TOGETHER = 4, 100  # of each class, however many there are; of all


@dataclass(frozen=True)
class Match:
    """One comparison of gradients.

    Parameters
    ----------
    loss : float
        Sum of the distances of all groups.
    similarity : float
        Mean over the groups of the cosine between both gradients.
    gradients : list of tensor
        Of the loss, with respect to each of the leaves.
    """

    loss: float
    similarity: float
    gradients: list[torch.Tensor]


def shared_change(augment: Augmentation | None, generator: torch.Generator) -> Change | None:
    """Draw one change for real and synthetic rows alike; None without augmentation."""
    if augment is None:
        return None
    draw = augment.draw(1, generator, shared=True)
    return lambda rows: augment(rows, draw)


def goes_in_one_pass(sizes: Sequence[int]) -> bool:
    """Whether groups with so many synthetic rows go through a network in one pass, where it lets them: if they are equal and small."""
    equal = len(sizes) > 1 and len(set(sizes)) == 1
    return equal and (sizes[0] <= _FEW_ROWS or sum(sizes) <= _ROWS_TOGETHER)


def matched_weights(network: nn.Module, distance: str) -> Weights:
    """Return the parameters whose gradients a distance looks at: "layer-cosine" needs none with fewer than two axes."""
    return {
        name: weight
        for name, weight in network.named_parameters()
        if weight.requires_grad and (weight.ndim > 1 or distance != "layer-cosine")
    }


def batch_gradients(
    network: nn.Module, weights: Weights, batch: Batch, loss: Loss, *, precision: str = "float32", graph: bool = False
) -> Gradient:
    """Return the gradient of the mean loss of one batch, one tensor per weight; with `graph` it can be differentiated."""
    rows, targets = batch
    pieces = [slice(None)] if graph else in_pieces(len(rows), rows_per_piece(network, rows))
    total: Gradient = []
    for part in pieces:
        with mixed_precision(rows.device, precision):
            outputs = network(rows[part])
        value = loss(outputs.float() if outputs.dtype == torch.bfloat16 else outputs, targets[part])
        if len(pieces) > 1:
            value = value * (len(outputs) / len(rows))
        found = torch.autograd.grad(value, list(weights.values()), create_graph=graph)
        total = [first.add_(second) for first, second in zip(total, found, strict=True)] if total else list(found)
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
    vectorize: bool = False,
    change: Change | None = None,
    threads: Threads | None = None,
) -> Match:
    """Compare the gradients of the synthetic rows with those of real ones, and differentiate their distance.

    Parameters
    ----------
    network : Module
    weights : dict of str to tensor
        The parameters that are compared.
    real : sequence of sequence of tensors
        Of each group, from `batch_gradients`.
    synthetic : sequence of Batch
        Of each group, made from the leaves.
    loss : Loss
    distance : {"layer-cosine", "cosine", "l1", "l2"}
    leaves : sequence of tensors
        What to differentiate with respect to.
    vectorize : bool, default=False
        Whether groups may go through the network together (`torch.func.vmap`), where they are equal and small; only for
        networks whose rows do not touch each other.
    change : callable or None
        Applied to the rows of each group.
    threads : Threads or None
        On which groups are compared, each alone or, where they go together, as many at once as there are for each thread.

    Returns
    -------
    Match
    """
    if change is not None:
        synthetic = [(change(rows), targets) for rows, targets in synthetic]
    together = vectorize and goes_in_one_pass([len(rows) for rows, _ in synthetic])
    threads = threads or Threads(allowed=False)

    def compare(first: Gradient, second: Gradient, *, stacked: bool) -> Match:
        value = gradient_distance(first, second, distance, stacked=stacked).sum()
        parts = list(torch.autograd.grad(value, leaves))
        with torch.no_grad():
            similarity = float(gradient_similarity(first, second, stacked=stacked).sum())
        return Match(float(value.detach()), similarity, parts)

    def of_group(number: int) -> Match:
        own = batch_gradients(network, weights, synthetic[number], loss, graph=True)
        return compare(real[number], own, stacked=False)

    def of_groups(item: tuple[nn.Module, slice]) -> Match:
        own, part = item
        return compare(*stacked_gradients(own, weights, real[part], synthetic[part], loss), stacked=True)

    if together:
        found = threads.map(of_groups, of_parts(network, len(real), threads))
    else:
        found = threads.map(of_group, range(len(real)))
    gradients = found[0].gradients
    for match in found[1:]:
        gradients = [a + b for a, b in zip(gradients, match.gradients, strict=True)]
    return Match(sum(match.loss for match in found), sum(match.similarity for match in found) / len(real), gradients)


def of_parts(network: nn.Module, n_groups: int, threads: Threads) -> list[tuple[nn.Module, slice]]:
    """Divide groups into a pass for each thread: threads that share the loops of one wait for each other, far longer where others want the cores.

    Each has a network of its own: a call with other weights puts them into the module for that time.
    """
    parts = in_pieces(n_groups, -(-n_groups // threads.count))
    return [(copy.deepcopy(network) if part.start else network, part) for part in parts]


def stacked_gradients(
    network: nn.Module, weights: Weights, real: Sequence[Gradient], synthetic: Sequence[Batch], loss: Loss
) -> tuple[Gradient, Gradient]:
    """Return the gradients of all groups, real and synthetic."""
    fixed = {name: weight.detach() for name, weight in network.named_parameters()}

    def value(chosen: Weights, rows: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return loss(functional_call(network, {**fixed, **chosen}, (rows,)), targets)

    rows, targets = (torch.stack(part) for part in zip(*synthetic, strict=True))
    found = vmap(grad(value), in_dims=(None, 0, 0))({name: fixed[name] for name in weights}, rows, targets)
    return [torch.stack(part) for part in zip(*real, strict=True)], [found[name] for name in weights]
