"""Where a student's weights are after some steps, and how that follows from the rows it learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite

import torch
from torch import nn
from torch.func import functional_call

from distillkit.condensation.problem._problem import Loss

__all__ = ["StudentTrajectory", "best_rate", "flat_weights", "train_unrolled"]

_Slope = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class StudentTrajectory:
    """The end of a student's way, compared with an expert's.

    Parameters
    ----------
    loss : float
        Squared distance from the goal, over that of the start from the goal: 1 is no progress.
    rows : tensor of shape (m, ...)
        Derivative by the rows.
    targets : tensor of shape (m,) or None
        Derivative by the targets, where they are learned.
    log_rate : tensor of shape (1,)
        Derivative by the logarithm of the rate.
    """

    loss: float
    rows: torch.Tensor
    targets: torch.Tensor | None
    log_rate: torch.Tensor


def flat_weights(network: nn.Module) -> torch.Tensor:
    """Return a copy of a network's weights as one vector (p,)."""
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


def train_unrolled(
    network: nn.Module,
    loss: Loss,
    start: torch.Tensor,
    goal: torch.Tensor,
    rows: torch.Tensor,
    targets: torch.Tensor,
    log_rate: torch.Tensor,
    batches: Sequence[torch.Tensor],
    changes: Sequence[Callable[[torch.Tensor], torch.Tensor]] | None = None,
) -> StudentTrajectory:
    r"""Train a student by plain gradient descent and differentiate how far it ends from the goal.

    .. math:: \theta_{i+1} = \theta_i - \alpha \nabla_\theta \ell(\theta_i; B_i), \qquad
              L = \|\theta_N - \theta^*_{t+M}\|^2 / \|\theta^*_t - \theta^*_{t+M}\|^2

    The graph of all steps is never held: the way forward keeps the weights alone, and the way back computes each step again, to take the
    product of its derivative with that of what follows. That is exact, costs one more gradient per step, and needs the
    memory of one step and N weight vectors.

    Parameters
    ----------
    network : Module
        Gives the architecture.
    loss : Loss
    start, goal : tensor of shape (p,)
        Weights of the expert, in the order of the parameters.
    rows, targets : tensor of shape (m, ...) and (m,)
        Targets that require gradients are differentiated by, too.
    log_rate : tensor of shape (1,)
        Logarithm of the rate.
    batches : sequence of tensors of int
        Rows of each step, none twice in one step.
    changes : sequence of callables or None
        An augmentation for each step.

    Returns
    -------
    Path

    References
    ----------
    Cazenavette et al., "Dataset distillation by matching training trajectories", CVPR 2022, equation 2.
    """
    gradient = _training_gradient(network, loss)
    rate, fixed = float(log_rate.detach().exp()), rows.detach()
    learns, known = targets.requires_grad, targets.detach()
    changed = changes or [_same] * len(batches)
    trajectory = _trajectory(gradient, start, fixed, known, rate, batches, changed)
    scale = (start - goal).square().sum().clamp_min(1e-30)
    missed = trajectory.pop() - goal
    back = 2 * missed / scale
    by_rows, by_targets, by_rate = torch.zeros_like(fixed), torch.zeros_like(known), torch.zeros_like(log_rate)
    for picks, change in zip(reversed(batches), reversed(changed), strict=True):
        weights, batch = trajectory.pop().clone().requires_grad_(), fixed[picks].requires_grad_()
        wanted = known[picks].requires_grad_() if learns else known[picks]
        step = gradient(weights, change(batch), wanted, create_graph=True)
        by_rate -= rate * torch.dot(back, step.detach())
        leaves = [weights, batch, wanted] if learns else [weights, batch]
        parts = torch.autograd.grad(torch.dot(step, back), leaves)
        back = back - rate * parts[0]
        by_rows[picks] -= rate * parts[1]
        if learns:
            by_targets[picks] -= rate * parts[2]
    value = float((missed.square().sum() / scale).detach())
    return StudentTrajectory(value, by_rows, by_targets if learns else None, by_rate.detach())


def best_rate(
    network: nn.Module,
    loss: Loss,
    pieces: Sequence[tuple[torch.Tensor, torch.Tensor]],
    rows: torch.Tensor,
    targets: torch.Tensor,
    batches: Sequence[torch.Tensor],
    rates: Sequence[float],
) -> float:
    """Return the rate at which students end nearest to their goals.

    Parameters
    ----------
    network, loss, rows, targets, batches
        See `train_unrolled`.
    pieces : sequence of pairs of tensors (p,)
        Starts and goals.
    rates : sequence of float
        To choose from.
    """
    gradient = _training_gradient(network, loss)
    missed = []
    for rate in rates:
        total = 0.0
        for start, goal in pieces:
            end = _trajectory(gradient, start, rows.detach(), targets.detach(), rate, batches, [_same] * len(batches))[
                -1
            ]
            distance = float((end - goal).square().sum() / (start - goal).square().sum().clamp_min(1e-30))
            total += distance if isfinite(distance) else inf
        missed.append(total)
    return rates[missed.index(min(missed))]


def _same(rows: torch.Tensor) -> torch.Tensor:
    return rows


def _trajectory(
    gradient: _Slope,
    start: torch.Tensor,
    rows: torch.Tensor,
    targets: torch.Tensor,
    rate: float,
    batches: Sequence[torch.Tensor],
    changes: Sequence[Callable[[torch.Tensor], torch.Tensor]],
) -> list[torch.Tensor]:
    """Return the weights at the start and after each step."""
    trajectory = [start.detach()]
    for picks, change in zip(batches, changes, strict=True):
        weights = trajectory[-1].clone().requires_grad_()
        trajectory.append(trajectory[-1] - rate * gradient(weights, change(rows[picks]), targets[picks]))
    return trajectory


def _training_gradient(network: nn.Module, loss: Loss) -> _Slope:
    """Return the gradient of the mean loss by the flat weights, as a function of weights, rows and targets."""
    shapes = {name: weight.shape for name, weight in network.named_parameters()}
    sizes = [shape.numel() for shape in shapes.values()]

    def gradient(
        weights: torch.Tensor, rows: torch.Tensor, targets: torch.Tensor, *, create_graph: bool = False
    ) -> torch.Tensor:
        parts = zip(shapes.items(), torch.split(weights, sizes), strict=True)
        named = {name: part.view(shape) for (name, shape), part in parts}
        value = loss(functional_call(network, named, (rows,)), targets)
        return torch.autograd.grad(value, weights, create_graph=create_graph)[0]

    return gradient
