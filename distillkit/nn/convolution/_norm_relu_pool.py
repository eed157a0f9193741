"""Instance normalization, ReLU and 2x2 average pooling in one step, with the channels last."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.autograd import Function
from torch.nn.functional import pad

from distillkit.nn.runtime._compiled import arrays

__all__ = ["halve", "norm_relu_pool"]


def halve(x: torch.Tensor) -> torch.Tensor:
    """Average 2x2 pixels of images (n, height, width, channels); odd last lines are left out."""
    height, width = x.shape[1:3]
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    x = x[:, ::2] + x[:, 1::2]
    return (x[:, :, ::2] + x[:, :, 1::2]) * 0.25


def norm_relu_pool(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float) -> torch.Tensor:
    """Apply instance normalization with scale and shift, ReLU, and 2x2 average pooling.

    Parameters
    ----------
    x : tensor of shape (n, height, width, channels)
    weight, bias : tensors of shape (channels,)
        Scale and shift after the standardization.
    eps : float
        Constant that is added to the variance.

    Returns
    -------
    tensor of shape (n, height // 2, width // 2, channels)
    """
    return _NormReluPool.apply(x, weight, bias, eps)  # type: ignore[no-any-return]


class _NormReluPool(Function):
    """The three layers as one differentiable operation, by compiled loops."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float) -> torch.Tensor:
        from distillkit.nn.convolution import _norm_loops as loops

        n_rows, height, width, channels = x.shape
        result = x.new_empty(n_rows, height // 2, width // 2, channels)
        images, scale, shift = arrays(x, weight, bias)
        mean, factor = np.empty((2, n_rows, channels), images.dtype)
        loops.statistics(images, images.dtype.type(eps), mean, factor)
        loops.norm_forward(images, scale, shift, mean, factor, result.numpy())
        ctx.save_for_backward(x, weight, bias)
        ctx.eps, ctx.statistics = eps, (mean, factor)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (grad_pooled,), (x, weight, bias) = gradients, ctx.saved_tensors
        if torch.is_grad_enabled():  # for second derivatives
            return (*_differentiable(grad_pooled, x, weight, bias, ctx.eps), None)
        from distillkit.nn.convolution import _norm_loops as loops

        grad_x = x.new_empty(x.shape)
        grad_weight, grad_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        grad_outputs, images, scale, shift = arrays(grad_pooled, x, weight, bias)
        mean, factor = ctx.statistics
        results = grad_x.numpy(), grad_weight.numpy(), grad_bias.numpy()
        loops.norm_backward(grad_outputs, images, scale, shift, mean, factor, *results)
        return grad_x, grad_weight, grad_bias, None


def _differentiable(
    grad_pooled: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Compute the gradients of x, weight and bias by differentiable operations of torch."""
    # 1. Standardize again.
    centered = x - x.mean((1, 2), keepdim=True)
    factor = torch.rsqrt(centered.square().mean((1, 2), keepdim=True) + eps)
    standard = centered * factor
    # 2. Propagate back through the pooling and the ReLU.
    height, width = x.shape[1:3]
    grad_unpooled = (grad_pooled * 0.25).repeat_interleave(2, 1).repeat_interleave(2, 2)
    grad_unpooled = pad(grad_unpooled, (0, 0, 0, width - grad_unpooled.shape[2], 0, height - grad_unpooled.shape[1]))
    with torch.no_grad():
        before_relu = torch.addcmul(bias, standard, weight)
    grad_scaled = torch.ops.aten.threshold_backward(grad_unpooled, before_relu, 0)
    # 3. Propagate back through the standardization, which depends on mean and variance.
    grad_sum, product_sum = grad_scaled.sum((1, 2)), (grad_scaled * standard).sum((1, 2))
    means = (grad_sum[:, None, None] + standard * product_sum[:, None, None]) / (height * width)
    return (weight * factor) * (grad_scaled - means), product_sum.sum(0), grad_sum.sum(0)
