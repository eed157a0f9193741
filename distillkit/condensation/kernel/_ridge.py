"""Kernel ridge regression, differentiable with respect to the features that it is fitted on."""

from __future__ import annotations

import torch

__all__ = ["ridge_prediction"]


def ridge_prediction(
    features: torch.Tensor, targets: torch.Tensor, others: torch.Tensor, ridge: float = 1e-6
) -> torch.Tensor:
    """Fit kernel ridge regression on m synthetic rows, and predict the targets of n other rows.

    The predictions are ``K_os (K_ss + r I)^-1 Y`` with the linear kernel ``K_ab = F_a F_b^T`` of
    the features and ``r = ridge trace(K_ss) / m``. They are those of the optimal linear head on the
    features, so that rows can be evaluated without training a head.

    Parameters
    ----------
    features : tensor of shape (m, d)
        Features of the synthetic rows.
    targets : tensor of shape (m, k)
    others : tensor of shape (n, d)
        Features of the rows to predict.
    ridge : float, default=1e-6
        Regularization as a multiple of the mean of the kernel's diagonal, so that its effect does
        not depend on the scale of the features.

    Returns
    -------
    tensor of shape (n, k), float64
        Sums and solution are computed in float64, because kernels of similar rows are
        ill-conditioned.

    Raises
    ------
    FloatingPointError
        If the kernel is not finite or not positive definite.

    References
    ----------
    Nguyen, Chen and Lee, "Dataset meta-learning from kernel ridge-regression", ICLR 2021.
    """
    # 1. Compute the regularized kernel of the synthetic rows.
    features, others = features.double(), others.double()
    kernel = features @ features.T
    regularized = kernel + ridge * kernel.diagonal().mean() * torch.eye(
        len(kernel), dtype=kernel.dtype, device=kernel.device
    )
    # 2. Factorize it, and solve for the dual coefficients.
    factor, info = torch.linalg.cholesky_ex(regularized)
    if int(info) or not bool(torch.isfinite(factor).all()):
        raise FloatingPointError("the kernel of the synthetic rows is not finite or not positive definite")
    # 3. Predict. The product with the features of the synthetic rows comes first, so that the
    #    kernel between both sets of rows is never formed.
    return others @ (features.T @ torch.cholesky_solve(targets.double(), factor))
