"""Training of a student on synthetic rows, differentiated through all of its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite

import torch
from torch import nn
from torch.func import functional_call

from distillkit.condensation.problem._problem import Loss

__all__ = ["StudentTrajectory", "best_rate", "flat_weights", "train_unrolled"]

_GradientFunction = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class StudentTrajectory:
    """Matching loss of a student's trajectory, with its derivatives.

    Parameters
    ----------
    loss : float
        Squared distance of the student's last weights from the goal, divided by that of the first
        weights from the goal; 1 means no progress.
    rows : tensor of shape (m, ...)
        Derivative with respect to the rows.
    targets : tensor of shape (m,) or None
        Derivative with respect to the targets, if they are learned.
    log_rate : tensor of shape (1,)
        Derivative with respect to the logarithm of the learning rate.
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
    r"""Train a student by gradient descent, and differentiate its final distance from the goal.

    .. math:: \theta_{i+1} = \theta_i - \alpha \nabla_\theta \ell(\theta_i; B_i), \qquad
              L = \|\theta_N - \theta^*_{t+M}\|^2 / \|\theta^*_t - \theta^*_{t+M}\|^2

    The graph of all steps is never in memory. The forward pass keeps only the weights of each step,
    and the backward pass recomputes each step to multiply its derivative with that of the later
    steps. The result is exact, costs one additional gradient per step, and needs the memory of one
    step and N weight vectors.

    Parameters
    ----------
    network : Module
        Defines the architecture; its own weights are not used.
    loss : Loss
    start, goal : tensor of shape (p,)
        Weights of the expert at an earlier and a later epoch, in the order of the parameters.
    rows, targets : tensor of shape (m, ...) and (m,)
        Synthetic rows and their targets. The loss is differentiated with respect to the targets as
        well if they require a gradient.
    log_rate : tensor of shape (1,)
        Logarithm of the learning rate.
    batches : sequence of tensors of int
        Indices of the rows of each step, without repetition within a step.
    changes : sequence of callables or None
        Augmentation of each step; None augments none.

    Returns
    -------
    StudentTrajectory

    References
    ----------
    Cazenavette et al., "Dataset distillation by matching training trajectories", CVPR 2022,
    equation 2.
    """
    gradient_at = _training_gradient(network, loss)
    rate = float(log_rate.detach().exp())
    X, y, learns_targets = rows.detach(), targets.detach(), targets.requires_grad
    changes = changes or [_unchanged] * len(batches)
    # 1. Forward pass: train the student, and keep its weights before each step.
    trajectory = _trajectory(gradient_at, start, X, y, rate, batches, changes)
    # 2. Start the backward pass with the derivative of the loss at the last weights (the adjoint).
    scale = (start - goal).square().sum().clamp_min(1e-30)
    error = trajectory.pop() - goal
    adjoint = 2 * error / scale
    by_rows, by_targets, by_log_rate = torch.zeros_like(X), torch.zeros_like(y), torch.zeros_like(log_rate)
    for picks, change in zip(reversed(batches), reversed(changes), strict=True):
        # 3. Recompute the gradient of this step, with a graph.
        weights, batch_rows = trajectory.pop().clone().requires_grad_(), X[picks].requires_grad_()
        batch_targets = y[picks].requires_grad_() if learns_targets else y[picks]
        gradient = gradient_at(weights, change(batch_rows), batch_targets, create_graph=True)
        # 4. Multiply the adjoint with the derivatives of the step: this gives the step's share of
        #    the results, and the adjoint at the weights before the step.
        by_log_rate -= rate * torch.dot(adjoint, gradient.detach())
        leaves = [weights, batch_rows, batch_targets] if learns_targets else [weights, batch_rows]
        products = torch.autograd.grad(torch.dot(gradient, adjoint), leaves)
        adjoint = adjoint - rate * products[0]
        by_rows[picks] -= rate * products[1]
        if learns_targets:
            by_targets[picks] -= rate * products[2]
    value = float((error.square().sum() / scale).detach())
    return StudentTrajectory(value, by_rows, by_targets if learns_targets else None, by_log_rate.detach())


def best_rate(
    network: nn.Module,
    loss: Loss,
    pieces: Sequence[tuple[torch.Tensor, torch.Tensor]],
    rows: torch.Tensor,
    targets: torch.Tensor,
    batches: Sequence[torch.Tensor],
    rates: Sequence[float],
) -> float:
    """Return the learning rate with which students end nearest to their goals.

    Parameters
    ----------
    network, loss, rows, targets, batches
        See `train_unrolled`.
    pieces : sequence of pairs of tensors (p,)
        Start and goal of each piece of an expert's trajectory.
    rates : sequence of float
        Learning rates to choose from.
    """
    gradient_at = _training_gradient(network, loss)
    X, y, changes = rows.detach(), targets.detach(), [_unchanged] * len(batches)
    losses = []
    for rate in rates:
        total = 0.0
        for start, goal in pieces:
            end = _trajectory(gradient_at, start, X, y, rate, batches, changes)[-1]
            distance = float((end - goal).square().sum() / (start - goal).square().sum().clamp_min(1e-30))
            total += distance if isfinite(distance) else inf
        losses.append(total)
    return rates[losses.index(min(losses))]


def _unchanged(rows: torch.Tensor) -> torch.Tensor:
    return rows


def _trajectory(
    gradient_at: _GradientFunction,
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
        trajectory.append(trajectory[-1] - rate * gradient_at(weights, change(rows[picks]), targets[picks]))
    return trajectory


def _training_gradient(network: nn.Module, loss: Loss) -> _GradientFunction:
    """Return a function of flat weights, rows and targets that computes the training gradient."""
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
