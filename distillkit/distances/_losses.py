"""Differentiable losses in torch that correspond to the sample distances of this package."""

from __future__ import annotations

import math

import numpy as np
import torch

from distillkit.distances._mmd import check_bandwidth, mean_kernel
from distillkit.distances._sinkhorn import entropic_plan, entropic_value
from distillkit.distances._torch_squares import as_float_tensors, refuse_not_finite, squares_of_tensors
from distillkit.distances._wasserstein import optimal_plan
from distillkit.exceptions import DataError

__all__ = ["js_loss", "kl_loss", "mean_loss", "mmd_loss", "sinkhorn_loss", "wasserstein_loss"]

_CLOSE = 1e-4  # share of the squared norm of a mean below which a squared distance of means is small


def mean_loss(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """Squared Euclidean distance between the means of two samples.

    It equals the squared maximum mean discrepancy with the linear kernel.

    Parameters
    ----------
    X, Y : tensor of shape (n, d) and (m, d)
        The two samples, with at least one row each.

    Returns
    -------
    tensor of shape ()

    Raises
    ------
    DataError
        If the samples do not fit each other, or if the distance is not finite.

    Examples
    --------
    >>> import torch
    >>> float(mean_loss(torch.tensor([[0.0, 0.0], [2.0, 2.0]]), torch.tensor([[4.0, 5.0]])))
    25.0
    """
    X, Y = _check(X, Y)
    x_mean, y_mean = X.mean(dim=0), Y.mean(dim=0)
    value = (x_mean - y_mean).square().sum()
    if bool(value.detach() <= _CLOSE * y_mean.detach().square().sum()):
        # The means are close to each other and far from the origin, so their difference has lost
        # digits: measure both from a common center.
        center = y_mean.detach()
        value = ((X - center).mean(dim=0) - (Y - center).mean(dim=0)).square().sum()
    return refuse_not_finite(value, X=X, Y=Y)


def mmd_loss(X: torch.Tensor, Y: torch.Tensor, bandwidth: float) -> torch.Tensor:
    """Squared maximum mean discrepancy of two equally weighted samples, differentiable in both.

    The value is that of `mmd`.

    Parameters
    ----------
    X, Y : tensor of shape (n, d) and (m, d)
        The two samples, with at least one row each.
    bandwidth : float
        Bandwidth of the kernel, see `mmd`. It must be a fixed number: a bandwidth computed from the
        rows would have to be differentiated, too.

    Returns
    -------
    tensor of shape ()

    Raises
    ------
    DataError
        If the samples do not fit each other, if the bandwidth is not positive, or if the
        distance is not finite.
    """
    X, Y = _check(X, Y)
    # Scale by a power of two, which is exact, so that the squares stay within the range of floats.
    bandwidth, exponent = math.frexp(check_bandwidth(bandwidth))
    P, Q = (torch.ldexp(rows, rows.new_tensor(-exponent)) for rows in (X, Y)) if exponent else (X, Y)
    parts = ((P, P, 1.0), (Q, Q, 1.0), (P, Q, -2.0))
    values = [
        sign * mean_kernel(squares_of_tensors(first, second), bandwidth, torch.exp).mean()
        for first, second, sign in parts
    ]
    return refuse_not_finite(torch.stack(values).sum(), X=X, Y=Y)


def wasserstein_loss(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    r"""Squared 2-Wasserstein distance of two equally weighted samples, differentiable in both.

    The optimal transport plan comes from POT, as in `wasserstein`, and is treated as a constant. By
    the envelope theorem the gradient is still that of the minimal cost wherever the optimal plan is
    unique.

    Parameters
    ----------
    X, Y : tensor of shape (n, d) and (m, d)
        The two samples, with at least one row each.

    Returns
    -------
    tensor of shape ()

    Raises
    ------
    DataError
        If the samples do not fit each other, or if the distance is not finite.
    DistillkitError
        If the network simplex does not reach the optimum within its iteration limit.
    """
    X, Y = _check(X, Y)
    costs = squares_of_tensors(X, Y)
    cost_values = _as_float64(costs, X, Y)
    plan = optimal_plan(_equal_weights(len(X)), _equal_weights(len(Y)), cost_values)
    return (torch.as_tensor(plan).to(costs) * costs).sum()


def sinkhorn_loss(
    X: torch.Tensor, Y: torch.Tensor, reg: float, *, max_iter: int = 200, tol: float = 1e-5
) -> torch.Tensor:
    """Sinkhorn divergence of two equally weighted samples, differentiable in both.

    The value is that of `sinkhorn_divergence`. The transport plans come from POT's Sinkhorn
    iterations; the gradient of each minimal regularized cost with respect to the cost matrix is its
    plan.

    Parameters
    ----------
    X, Y : tensor of shape (n, d) and (m, d)
        The two samples, with at least one row each.
    reg : float
        Strength of the entropic regularization, in squared units of the rows; positive.
    max_iter : int, default=200
        Largest number of Sinkhorn iterations for each plan.
    tol : float, default=1e-5
        Error of the marginals at which the iterations stop.

    Returns
    -------
    tensor of shape ()

    Raises
    ------
    DataError
        If the samples do not fit each other, or if the distance is not finite.
    """
    X, Y = _check(X, Y)
    total = X.new_zeros(())
    for P, Q, sign in ((X, Y, 1.0), (X, X, -0.5), (Y, Y, -0.5)):
        costs = squares_of_tensors(P, Q)
        cost_values, a, b = _as_float64(costs, X, Y), _equal_weights(len(P)), _equal_weights(len(Q))
        plan = entropic_plan(a, b, cost_values, reg, max_iter=max_iter, tol=tol)
        transport_cost = (torch.as_tensor(plan).to(costs) * costs).sum()
        # The value is the regularized cost, and the gradient is that of the transport cost of the
        # plan: adding and subtracting the transport cost changes the gradient, but not the value.
        regularized_cost = entropic_value(plan, a, b, cost_values, reg)
        total = total + sign * (transport_cost + (regularized_cost - transport_cost.detach()))
    return refuse_not_finite(total, X=X, Y=Y)


def kl_loss(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Kullback-Leibler divergence summed over pairs of probability vectors, differentiable in both.

    Parameters
    ----------
    p, q : tensor of shape (..., k)
        Probability vectors along the last axis, which must sum to 1 (see `kl_divergence` for the
        formula); `q` must be positive.

    Returns
    -------
    tensor of shape ()
    """
    p, q = as_float_tensors(p, q)
    return refuse_not_finite((torch.xlogy(p, p) - torch.xlogy(p, q)).sum(), p=p, q=q)


def js_loss(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Jensen-Shannon divergence summed over pairs of probability vectors, differentiable in both.

    Parameters
    ----------
    p, q : tensor of shape (..., k)
        Probability vectors along the last axis, which must sum to 1 (see `js_divergence` for the
        formula).

    Returns
    -------
    tensor of shape ()
    """
    p, q = as_float_tensors(p, q)
    mixture = (p + q) / 2
    return (kl_loss(p, mixture) + kl_loss(q, mixture)) / 2


def _check(X: torch.Tensor, Y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Check that both samples have rows, and equally many features; return them as floats."""
    if X.ndim != 2 or Y.ndim != 2 or X.shape[1] != Y.shape[1] or not len(X) or not len(Y):
        raise DataError(
            f"samples of shapes {tuple(X.shape)} and {tuple(Y.shape)} cannot be compared: "
            "give shapes (n, d) and (m, d), with at least one row in each."
        )
    X, Y = as_float_tensors(X, Y)
    return X, Y


def _as_float64(costs: torch.Tensor, X: torch.Tensor, Y: torch.Tensor) -> np.ndarray:
    """Copy costs to a float64 array outside the graph, and refuse values that are not finite."""
    refuse_not_finite(costs, X=X, Y=Y)
    return costs.detach().cpu().numpy().astype(np.float64)


def _equal_weights(n_rows: int) -> np.ndarray:
    """Return weights 1 / n_rows, which sum to 1."""
    return np.full(n_rows, 1.0 / n_rows)
