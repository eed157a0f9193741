"""Kernel ridge regression on features, differentiable in the rows that it is fitted on."""

from __future__ import annotations

import torch

__all__ = ["ridge_prediction"]


def ridge_prediction(
    features: torch.Tensor, targets: torch.Tensor, others: torch.Tensor, ridge: float = 1e-6
) -> torch.Tensor:
    """Predict other rows from a few: ``K_os (K_ss + r I)^-1 Y`` with ``K_ab = F_a F_b^T`` and ``r = ridge trace(K_ss) / m``.

    It is the optimal linear head on the features, so that rows can be judged without training one.

    Parameters
    ----------
    features : tensor of shape (m, d)
        Of the rows fitted on.
    targets : tensor of shape (m, k)
    others : tensor of shape (n, d)
        Features of the rows to predict.
    ridge : float
        Times the mean of the kernel's diagonal, so that it means the same whatever the scale of the features.

    Returns
    -------
    tensor of shape (n, k), float64
        All sums and the solution are in float64: kernels of alike rows are ill-conditioned.

    Raises
    ------
    FloatingPointError
        If the kernel is not finite or not positive definite.

    References
    ----------
    Nguyen, Chen and Lee, "Dataset meta-learning from kernel ridge-regression", ICLR 2021.
    """
    features, others = features.double(), others.double()
    kernel = features @ features.T
    scaled = kernel + ridge * kernel.diagonal().mean() * torch.eye(
        len(kernel), dtype=kernel.dtype, device=kernel.device
    )
    factor, failed = torch.linalg.cholesky_ex(scaled)
    if int(failed) or not bool(torch.isfinite(factor).all()):
        raise FloatingPointError("the kernel of the synthetic rows is not finite or not positive definite")
    return others @ (features.T @ torch.cholesky_solve(targets.double(), factor))
