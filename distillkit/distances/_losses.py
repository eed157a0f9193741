"""Distances between two samples as losses: what the metrics of this package compute, with gradients to the second sample."""

from __future__ import annotations

import numpy as np
import torch

from distillkit.distances._mmd import mean_kernel
from distillkit.distances._sinkhorn import entropic_plan, entropic_value
from distillkit.distances._wasserstein import optimal_plan
from distillkit.exceptions import DataError

__all__ = ["js_loss", "kl_loss", "mean_loss", "mmd_loss", "sinkhorn_loss", "wasserstein_loss"]


def mean_loss(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """Squared Euclidean distance between the means of two samples: their MMD with the linear kernel.

    Parameters
    ----------
    X, Y : tensor of shape (n, d) and (m, d)

    Returns
    -------
    tensor of shape ()

    Examples
    --------
    >>> import torch
    >>> float(mean_loss(torch.tensor([[0.0, 0.0], [2.0, 2.0]]), torch.tensor([[4.0, 5.0]])))
    25.0
    """
    _check(X, Y)
    return (X.mean(dim=0) - Y.mean(dim=0)).square().sum()


def mmd_loss(X: torch.Tensor, Y: torch.Tensor, bandwidth: float) -> torch.Tensor:
    """`mmd` of two samples with equal weights, differentiable in both.

    Parameters
    ----------
    X, Y : tensor of shape (n, d) and (m, d)
    bandwidth : float
        See `mmd`; a number, since one that moved with the rows would be part of what is differentiated.

    Returns
    -------
    tensor of shape ()
    """
    _check(X, Y)
    parts = ((X, X, 1.0), (Y, Y, 1.0), (X, Y, -2.0))
    values = [sign * mean_kernel(_squares(P, Q), bandwidth, torch.exp).mean() for P, Q, sign in parts]
    return torch.stack(values).sum()


def wasserstein_loss(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    r"""Squared 2-Wasserstein distance of two samples with equal weights, differentiable in both.

    The plan is that of `wasserstein`, found by POT, and is constant: where the best plan is unique, the derivative of the least cost is
    that of the cost of this plan (the envelope theorem).

    Parameters
    ----------
    X, Y : tensor of shape (n, d) and (m, d)

    Returns
    -------
    tensor of shape ()

    Raises
    ------
    DistillkitError
        If the simplex does not come to an end.
    """
    _check(X, Y)
    costs = _squares(X, Y)
    known = _numbers(costs)
    plan = optimal_plan(_equal(len(X)), _equal(len(Y)), known)
    return (torch.as_tensor(plan).to(costs) * costs).sum()


def sinkhorn_loss(
    X: torch.Tensor, Y: torch.Tensor, reg: float, *, max_iter: int = 200, tol: float = 1e-5
) -> torch.Tensor:
    """`sinkhorn_divergence` of two samples with equal weights, differentiable in both.

    The plans come from POT's iterations; the derivative of each least cost by the costs is its plan.

    Parameters
    ----------
    X, Y : tensor of shape (n, d) and (m, d)
    reg : float
        The regularisation, in squared units of the rows.
    max_iter : int, default=200
    tol : float, default=1e-5
        Largest error of the marginals.

    Returns
    -------
    tensor of shape ()
    """
    _check(X, Y)
    total = X.new_zeros(())
    for P, Q, sign in ((X, Y, 1.0), (X, X, -0.5), (Y, Y, -0.5)):
        costs = _squares(P, Q)
        known, a, b = _numbers(costs), _equal(len(P)), _equal(len(Q))
        plan = entropic_plan(a, b, known, reg, max_iter=max_iter, tol=tol)
        moved = (torch.as_tensor(plan).to(costs) * costs).sum()
        # the value that is right, with the gradient of the cost of the plan
        total = total + sign * (moved + (entropic_value(plan, a, b, known, reg) - moved.detach()))
    return total


def kl_loss(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """`kl_divergence` of probability vectors (..., k) that sum to 1, differentiable in both; the sum over the vectors.

    Parameters
    ----------
    p, q : tensor of shape (..., k)
        `q` positive.

    Returns
    -------
    tensor of shape ()
    """
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum()


def js_loss(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """`js_divergence` of probability vectors (..., k) that sum to 1, differentiable in both; the sum over the vectors.

    Parameters
    ----------
    p, q : tensor of shape (..., k)

    Returns
    -------
    tensor of shape ()
    """
    mixture = (p + q) / 2
    return (kl_loss(p, mixture) + kl_loss(q, mixture)) / 2


def _check(X: torch.Tensor, Y: torch.Tensor) -> None:
    if X.ndim != 2 or Y.ndim != 2 or X.shape[1] != Y.shape[1] or not len(X) or not len(Y):
        raise DataError(
            f"samples of shapes {tuple(X.shape)} and {tuple(Y.shape)} cannot be compared: give (n, d) and (m, d), with rows in both."
        )


def _squares(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """Squared distances between all rows, differentiable; see `squared_distances` for the shift."""
    centre = Y.detach().mean(dim=0)
    X, Y = X - centre, Y - centre
    squares = X.square().sum(dim=1)[:, None] + Y.square().sum(dim=1)[None, :] - 2 * (X @ Y.T)
    return squares.clamp_min(0)


def _numbers(costs: torch.Tensor) -> np.ndarray:
    known = costs.detach().cpu().numpy().astype(np.float64)
    if not np.isfinite(known).all():
        raise FloatingPointError("the embeddings are not finite")
    return known


def _equal(n_rows: int) -> np.ndarray:
    return np.full(n_rows, 1.0 / n_rows)
