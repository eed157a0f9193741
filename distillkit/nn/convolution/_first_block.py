"""A block on images of few channels: convolution, ReLU and pooling, image by image in the processor's cache."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function
from torch.nn import functional as F

from distillkit.nn.runtime._compiled import arrays
from distillkit.nn.runtime._scratch import scratch

__all__ = ["conv_relu_pool", "patches"]

_GREY = 10  # taps of one channel, and the shift


def patches(x: torch.Tensor, padding: int) -> torch.Tensor:
    """Cut out what each output of a 3x3 convolution sees.

    Parameters
    ----------
    x : tensor of shape (n, channels, height, width)
    padding : int
        Zeros around; height and width of the outputs must be even.

    Returns
    -------
    tensor of shape (n, outputs, 9 * channels)
        In four parts: the upper left outputs of all 2x2 that a pooling joins, the upper right ones, and so on.
    """
    x = F.pad(x, (padding,) * 4)
    n_rows, channels, height, width = x.shape
    height, width = height - 2, width - 2
    seen = x.unfold(2, height, 1).unfold(3, width, 1)  # (n, channels, 3, 3, height, width)
    seen = seen.reshape(n_rows, channels * 9, height // 2, 2, width // 2, 2)
    return seen.permute(0, 3, 5, 2, 4, 1).reshape(n_rows, height * width, channels * 9)


def conv_relu_pool(seen: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Return ``relu(seen @ kernel)``, pooled by the mean of each output's four parts.

    Parameters
    ----------
    seen : tensor of shape (n, 4 * places, inner)
        From `patches`.
    kernel : tensor of shape (n, inner, width)
        Each image has one of its own, which instance norm makes of a common one.

    Returns
    -------
    tensor of shape (n, places, width)
    """
    return _ConvReluPool.apply(seen, kernel)  # type: ignore[no-any-return]


class _ConvReluPool(Function):
    """Nothing of the size of the convolution's outputs leaves the cache: backwards they are computed again.

    For grey images it need not even come to be; for more channels, products of matrices are faster.
    """

    @staticmethod
    def forward(ctx: Any, seen: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(seen, kernel)
        n_rows, outputs, _ = seen.shape
        width = kernel.shape[2]
        pooled = seen.new_empty(n_rows, outputs // 4, width)
        if seen.shape[2] == _GREY:
            from distillkit.nn.convolution import _grey_loops as loops

            images, kernels = arrays(seen, kernel)
            loops.pooled_forward(images, kernels, pooled.numpy())
            return pooled
        outer = scratch("outer", (outputs, width), seen.dtype)
        # the mean's quarter on the smallest of the factors; it loses no digits
        for own, weights, into in zip(seen, kernel * 0.25, pooled, strict=True):
            torch.mm(own, weights, out=outer).clamp_(min=0)
            first, second, third, fourth = outer.view(4, outputs // 4, width)
            torch.add(first, second, out=into).add_(third).add_(fourth)
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        (given,), (seen, kernel) = gradients, ctx.saved_tensors
        n_rows, outputs, _ = seen.shape
        width = kernel.shape[2]
        wanted_seen, wanted_kernel = ctx.needs_input_grad
        if torch.is_grad_enabled():  # to be differentiated once more
            every = (given * 0.25).unsqueeze(1).expand(n_rows, 4, outputs // 4, width)
            with torch.no_grad():
                uncut = (seen @ kernel).view(every.shape)
            outer = torch.ops.aten.threshold_backward(every, uncut, 0).view(n_rows, outputs, width)
            of_seen = outer @ kernel.transpose(1, 2) if wanted_seen else None
            return of_seen, seen.transpose(1, 2) @ outer if wanted_kernel else None
        of_seen = torch.empty_like(seen) if wanted_seen else None
        of_kernel = kernel.new_empty(kernel.shape) if wanted_kernel else None
        if of_kernel is not None and of_seen is None and seen.shape[2] == _GREY:
            from distillkit.nn.convolution import _grey_loops as loops

            back, images, kernels = arrays(given, seen, kernel)
            loops.pooled_backward(back, images, kernels, of_kernel.numpy())
            return None, of_kernel
        outer = scratch("outer", (outputs, width), seen.dtype)
        parts = outer.view(4, outputs // 4, width)
        quarter = kernel * 0.25
        for row in range(n_rows):
            torch.mm(seen[row], kernel[row], out=outer)
            torch.ops.aten.threshold_backward.grad_input(given[row].expand_as(parts), parts, 0, grad_input=parts)
            if of_seen is not None:
                torch.mm(outer, quarter[row].T, out=of_seen[row])
            if of_kernel is not None:
                torch.mm(seen[row].T, outer, out=of_kernel[row])
        return of_seen, None if of_kernel is None else of_kernel.mul_(0.25)
