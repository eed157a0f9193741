"""Instance norm, ReLU and 2x2 average pooling in one step, with the channels last."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.autograd import Function
from torch.nn.functional import pad

from distillkit.nn.runtime._compiled import arrays

__all__ = ["halve", "norm_relu_pool"]


def halve(x: torch.Tensor) -> torch.Tensor:
    """Map (n, height, width, channels) to the means of 2x2; an odd last row or column is left out."""
    height, width = x.shape[1:3]
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    x = x[:, ::2] + x[:, 1::2]
    return (x[:, :, ::2] + x[:, :, 1::2]) * 0.25


def norm_relu_pool(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float) -> torch.Tensor:
    """Standardize each channel of each image, scale and shift it, cut below zero, and halve height and width.

    Parameters
    ----------
    x : tensor of shape (n, height, width, channels)
    weight, bias : tensors of shape (channels,)
    eps : float
        Added to the variance.

    Returns
    -------
    tensor of shape (n, height // 2, width // 2, channels)
    """
    return _NormReluPool.apply(x, weight, bias, eps)  # type: ignore[no-any-return]


class _NormReluPool(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float) -> torch.Tensor:
        from distillkit.nn.convolution import _norm_loops as loops

        n_rows, height, width, channels = x.shape
        result = x.new_empty(n_rows, height // 2, width // 2, channels)
        own, scale, shift = arrays(x, weight, bias)
        mean, factor = np.empty((2, n_rows, channels), own.dtype)
        loops.statistics(own, own.dtype.type(eps), mean, factor)
        loops.norm_forward(own, scale, shift, mean, factor, result.numpy())
        ctx.save_for_backward(x, weight, bias)
        ctx.eps, ctx.statistics = eps, (mean, factor)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (given,), (x, weight, bias) = gradients, ctx.saved_tensors
        if torch.is_grad_enabled():  # to be differentiated once more
            return (*_differentiable(given, x, weight, bias, ctx.eps), None)
        from distillkit.nn.convolution import _norm_loops as loops

        of_x = x.new_empty(x.shape)
        of_weight, of_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        back, own, scale, shift = arrays(given, x, weight, bias)
        mean, factor = ctx.statistics
        results = of_x.numpy(), of_weight.numpy(), of_bias.numpy()
        loops.norm_backward(back, own, scale, shift, mean, factor, *results)
        return of_x, of_weight, of_bias, None


def _differentiable(
    given: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the gradients of x, weight and bias."""
    centred = x - x.mean((1, 2), keepdim=True)
    factor = torch.rsqrt(centred.square().mean((1, 2), keepdim=True) + eps)
    standard = centred * factor
    height, width = x.shape[1:3]
    every = (given * 0.25).repeat_interleave(2, 1).repeat_interleave(2, 2)
    every = pad(every, (0, 0, 0, width - every.shape[2], 0, height - every.shape[1]))
    with torch.no_grad():
        uncut = torch.addcmul(bias, standard, weight)
    outer = torch.ops.aten.threshold_backward(every, uncut, 0)
    first, second = outer.sum((1, 2)), (outer * standard).sum((1, 2))
    means = (first[:, None, None] + standard * second[:, None, None]) / (height * width)
    return (weight * factor) * (outer - means), second.sum(0), first.sum(0)
