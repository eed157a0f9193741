"""Instance norm, ReLU and 2x2 average pooling in one step, with the channels last."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function
from torch.nn.functional import pad

from distillkit.nn._scratch import scratch

__all__ = ["halve", "norm_relu_pool"]

_NUMBERS = 2**18  # at a time: three times 1 MiB in float32


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
    """Works on some images at a time, so that what comes up between stays in the processor's cache."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float) -> torch.Tensor:
        ctx.save_for_backward(x, weight, bias)
        ctx.eps = eps
        n_rows, height, width, channels = x.shape
        result = x.new_empty(n_rows, height // 2, width // 2, channels)
        for part in _parts(x):
            standard, _ = _standardized(x[part], eps)
            outer = torch.addcmul(bias, standard, weight, out=scratch("outer", standard.shape, x.dtype)).clamp_(min=0)
            result[part] = halve(outer)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (given,), (x, weight, bias) = gradients, ctx.saved_tensors
        if torch.is_grad_enabled():  # to be differentiated once more
            return (*_differentiable(given, x, weight, bias, ctx.eps), None)
        of_x = torch.empty_like(x)
        of_weight, of_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        size = x.shape[1] * x.shape[2]
        for part in _parts(x):
            standard, factor = _standardized(x[part], ctx.eps)
            outer = torch.addcmul(bias, standard, weight, out=scratch("outer", standard.shape, x.dtype))
            _spread(given[part] * 0.25, outer)
            first = outer.sum((1, 2))
            second = torch.mul(outer, standard, out=scratch("between", standard.shape, x.dtype)).sum((1, 2))
            of_weight += second.sum(0)
            of_bias += first.sum(0)
            standard *= (second / size)[:, None, None]
            outer -= standard
            outer -= (first / size)[:, None, None]
            torch.mul(outer, weight * factor, out=of_x[part])
        return of_x, of_weight, of_bias, None


def _parts(x: torch.Tensor) -> list[slice]:
    step = max(1, _NUMBERS // (x.shape[1] * x.shape[2] * x.shape[3]))
    return [slice(begin, begin + step) for begin in range(0, len(x), step)]


def _standardized(x: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the standardized values, in scratch memory, and what they were multiplied by."""
    standard = torch.sub(x, x.mean((1, 2), keepdim=True), out=scratch("standard", x.shape, x.dtype))
    squares = torch.mul(standard, standard, out=scratch("outer", x.shape, x.dtype))
    factor = torch.rsqrt(squares.mean((1, 2), keepdim=True) + eps)
    return standard.mul_(factor), factor


def _spread(given: torch.Tensor, outer: torch.Tensor) -> None:
    """Give each of four outputs, where it is positive, what their mean was given; in place."""
    n_rows, height, width, channels = outer.shape
    down, across = height // 2, width // 2
    shape = (n_rows, down, 2, across, 2, channels)
    every = given[:, :, None, :, None].expand(shape)
    if (2 * down, 2 * across) == (height, width):
        four = outer.view(shape)
        torch.ops.aten.threshold_backward.grad_input(every, four, 0, grad_input=four)
    else:
        cut = outer[:, : 2 * down, : 2 * across]
        cut.copy_(torch.ops.aten.threshold_backward(every, cut.reshape(shape), 0).view(cut.shape))
        outer[:, 2 * down :] = 0
        outer[:, :, 2 * across :] = 0


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
    outer = every * (torch.addcmul(bias, standard, weight) > 0)
    first, second = outer.sum((1, 2)), (outer * standard).sum((1, 2))
    means = (first[:, None, None] + standard * second[:, None, None]) / (height * width)
    return (weight * factor) * (outer - means), second.sum(0), first.sum(0)
