"""Gradients of a network's loss, class by class, and of their distance with respect to the synthetic rows."""

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
"""A differentiable change of rows (an augmentation that is drawn already)."""

# Measured on two cores, ten classes of 28x28, classes together in two passes against one by one, before there were compiled loops: at width 64
# .7 of the time at one row per class and .8 at ten; at width 32 .5 at ten and 1.0 at twenty. The graphs of all classes are held at once.
_FEW_ROWS, _ROWS_TOGETHER = 4, 100  # of each class, however many there are; of all


@dataclass(frozen=True)
class GradientComparison:
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


def fits_one_vmap(sizes: Sequence[int]) -> bool:
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
    step: float | None = None,
    vectorize: bool = False,
    change: Change | None = None,
    threads: Threads | None = None,
) -> GradientComparison:
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
    step : float or None, default=None
        None differentiates the gradients of the synthetic rows once more. A number does without a graph of them, by differences of such
        a step in the weights; see `difference`.
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
    threads = threads or Threads(allowed=False)
    together = vectorize and fits_one_vmap([len(rows) for rows, _ in synthetic])
    if together:
        batches = [
            (own, [torch.stack(gradients) for gradients in zip(*real[part], strict=True)], _stacked(synthetic[part]))
            for own, part in _parts(network, len(real), threads)
        ]
    else:
        batches = [(network, *pair) for pair in zip(real, synthetic, strict=True)]

    def compare(item: tuple[nn.Module, Gradient, Batch]) -> GradientComparison:
        own, wanted, batch = item
        return _compare(own, weights, wanted, batch, loss, distance, step, stacked=together)

    found = threads.map(compare, batches)
    pairs = [
        pair
        for (_, _, batch), match in zip(batches, found, strict=True)
        for pair in zip(differentiated(batch), match.gradients, strict=True)
    ]
    tensors, gradients = zip(*pairs, strict=True)
    return GradientComparison(
        sum(match.loss for match in found),
        sum(match.similarity for match in found) / len(real),
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
    """Compare one group, or several that are stacked; the gradients are those of the tensors of the batch that take one."""
    exact = step is None
    draws = nullcontext if exact else same_draws(network)
    seen = batch if exact else (batch[0].detach(), batch[1].detach())
    with draws():
        if stacked:
            own = _stacked_gradients(network, weights, seen, loss)
        else:
            own = batch_gradients(network, weights, seen, loss, graph=exact)
    own = own if exact else [part.detach().requires_grad_() for part in own]
    value = gradient_distance(real, own, distance, stacked=stacked).sum()
    found = list(torch.autograd.grad(value, differentiated(batch) if exact else own))
    if step is None:
        gradients = found
    elif stacked:
        gradients = stacked_difference(network, weights, found, batch, loss, step)
    else:
        gradients = difference(network, weights, found, batch, loss, step, draws)
    with torch.no_grad():
        similarity = float(gradient_similarity(real, own, stacked=stacked).sum())
    return GradientComparison(float(value.detach()), similarity, gradients)


def _parts(network: nn.Module, n_groups: int, threads: Threads) -> list[tuple[nn.Module, slice]]:
    """Divide groups into a pass for each thread: threads that share the loops of one wait for each other, far longer where others want the cores.

    Each has a network of its own: a call with other weights puts them into the module for that time.
    """
    parts = in_pieces(n_groups, -(-n_groups // threads.count))
    return [(copy.deepcopy(network) if part.start else network, part) for part in parts]


def _stacked(batches: Sequence[Batch]) -> Batch:
    rows, targets = (torch.stack(part) for part in zip(*batches, strict=True))
    return rows, targets


def _stacked_gradients(network: nn.Module, weights: Weights, batch: Batch, loss: Loss) -> Gradient:
    """Return the gradients of all groups of a stack."""
    fixed = {name: weight.detach() for name, weight in network.named_parameters()}

    def value(chosen: Weights, rows: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return loss(functional_call(network, {**fixed, **chosen}, (rows,)), targets)

    found = vmap(grad(value), in_dims=(None, 0, 0))({name: fixed[name] for name in weights}, *batch)
    return [found[name] for name in weights]
