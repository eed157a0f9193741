"""Convolution, ReLU and pooling of images with few channels, one image at a time in the cache."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function
from torch.nn import functional as F

from distillkit.nn.runtime._compiled import arrays
from distillkit.nn.runtime._scratch import scratch

__all__ = ["conv_relu_pool", "patches"]

_GRAY = 10  # columns for one channel: the nine taps of the kernel, and the shift


def patches(x: torch.Tensor, padding: int) -> torch.Tensor:
    """Extract the 3x3 patch of the image that each output of a convolution depends on.

    Parameters
    ----------
    x : tensor of shape (n, channels, height, width)
    padding : int
        Width of the zero padding. Height and width of the outputs must be even.

    Returns
    -------
    tensor of shape (n, outputs, 9 * channels)
        The patches in four parts: those of the upper left outputs of all 2x2 squares that the
        pooling averages, of the upper right, the lower left and the lower right outputs.
    """
    x = F.pad(x, (padding,) * 4)
    n_rows, channels, height, width = x.shape
    height, width = height - 2, width - 2
    patch_rows = x.unfold(2, height, 1).unfold(3, width, 1)  # (n, channels, 3, 3, height, width)
    patch_rows = patch_rows.reshape(n_rows, channels * 9, height // 2, 2, width // 2, 2)
    return patch_rows.permute(0, 3, 5, 2, 4, 1).reshape(n_rows, height * width, channels * 9)


def conv_relu_pool(patch_rows: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Compute ``relu(patch_rows @ kernel)``, averaged over the four parts of the patches.

    Parameters
    ----------
    patch_rows : tensor of shape (n, 4 * places, inner)
        Patches in the order of `patches`, for as many pooled outputs as there are places.
    kernel : tensor of shape (n, inner, width)
        A kernel for each image: instance normalization scales the common kernel differently for
        each image.

    Returns
    -------
    tensor of shape (n, places, width)
    """
    return _ConvReluPool.apply(patch_rows, kernel)  # type: ignore[no-any-return]


class _ConvReluPool(Function):
    """Product of patches and kernels, ReLU and pooling, one image at a time.

    The outputs of the convolution stay in the cache, and are computed again for the gradient. For
    gray-scale images, compiled loops do not store them at all; for more channels, matrix products
    are faster.
    """

    @staticmethod
    def forward(ctx: Any, patch_rows: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(patch_rows, kernel)
        n_rows, outputs, _ = patch_rows.shape
        width = kernel.shape[2]
        pooled = patch_rows.new_empty(n_rows, outputs // 4, width)
        if patch_rows.shape[2] == _GRAY:
            from distillkit.nn.convolution import _gray_loops as loops

            image_patches, kernels = arrays(patch_rows, kernel)
            loops.pooled_forward(image_patches, kernels, pooled.numpy())
            return pooled
        activations = scratch("activations", (outputs, width), patch_rows.dtype)
        # Apply the factor 1/4 of the mean to the kernel, which is the smallest tensor; it is exact.
        for image, weights, result in zip(patch_rows, kernel * 0.25, pooled, strict=True):
            torch.mm(image, weights, out=activations).clamp_(min=0)
            first, second, third, fourth = activations.view(4, outputs // 4, width)
            torch.add(first, second, out=result).add_(third).add_(fourth)
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        (grad_pooled,), (patch_rows, kernel) = gradients, ctx.saved_tensors
        n_rows, outputs, _ = patch_rows.shape
        width = kernel.shape[2]
        needs_patches, needs_kernel = ctx.needs_input_grad
        # 1. For second derivatives, compute the gradient by differentiable operations of torch.
        if torch.is_grad_enabled():
            grad_unpooled = (grad_pooled * 0.25).unsqueeze(1).expand(n_rows, 4, outputs // 4, width)
            with torch.no_grad():
                before_relu = (patch_rows @ kernel).view(grad_unpooled.shape)
            grad_product = torch.ops.aten.threshold_backward(grad_unpooled, before_relu, 0)
            grad_product = grad_product.view(n_rows, outputs, width)
            grad_patches = grad_product @ kernel.transpose(1, 2) if needs_patches else None
            return grad_patches, patch_rows.transpose(1, 2) @ grad_product if needs_kernel else None
        grad_patches = torch.empty_like(patch_rows) if needs_patches else None
        grad_kernel = kernel.new_empty(kernel.shape) if needs_kernel else None
        # 2. For gray-scale images that need no gradient themselves, use the compiled loops.
        if grad_kernel is not None and grad_patches is None and patch_rows.shape[2] == _GRAY:
            from distillkit.nn.convolution import _gray_loops as loops

            grad_outputs, image_patches, kernels = arrays(grad_pooled, patch_rows, kernel)
            loops.pooled_backward(grad_outputs, image_patches, kernels, grad_kernel.numpy())
            return None, grad_kernel
        # 3. Otherwise compute the outputs of each image again, and overwrite them by their
        # gradient.
        buffer = scratch("activations", (outputs, width), patch_rows.dtype)
        parts = buffer.view(4, outputs // 4, width)
        quarter = kernel * 0.25
        for row in range(n_rows):
            torch.mm(patch_rows[row], kernel[row], out=buffer)
            torch.ops.aten.threshold_backward.grad_input(grad_pooled[row].expand_as(parts), parts, 0, grad_input=parts)
            if grad_patches is not None:
                torch.mm(buffer, quarter[row].T, out=grad_patches[row])
            if grad_kernel is not None:
                torch.mm(patch_rows[row].T, buffer, out=grad_kernel[row])
        return grad_patches, None if grad_kernel is None else grad_kernel.mul_(0.25)
