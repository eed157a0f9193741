"""3x3 convolution by Winograd's minimal filtering, differentiable any number of times."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function

from distillkit.nn.convolution._winograd_matrices import OUTPUTS, TAPS, points, transforms
from distillkit.nn.runtime._pieces import in_pieces
from distillkit.nn.runtime._scratch import scratch

__all__ = ["winograd_conv"]

_SIDE = OUTPUTS + TAPS - 1
_TILES = 128  # number of tiles at a time: enough for efficient matrix products, few enough for the cache


def winograd_conv(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Compute the 3x3 convolution with stride 1 and padding 1 on the CPU.

    For tiles of 4x4 outputs, minimal filtering takes a quarter of the products of the direct sum,
    so it is much faster than torch's own convolution if there are many channels.

    Parameters
    ----------
    x : tensor of shape (n, height, width, channels)
        Images in float32 or float64.
    weight : tensor of shape (outputs, channels, 3, 3)

    Returns
    -------
    tensor of shape (n, height, width, outputs)

    References
    ----------
    Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016
    (arXiv:1509.09308).
    """
    return _Convolution.apply(x, weight)  # type: ignore[no-any-return]


class _Convolution(Function):
    """The convolution, linear in the inputs and in the weight."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        return _convolve(x, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        (grad_output,), (x, weight) = gradients, ctx.saved_tensors
        needs_x, needs_weight = ctx.needs_input_grad
        if not torch.is_grad_enabled():  # no second derivatives: both gradients from the same tiles
            return _backwards(grad_output, x if needs_weight else None, weight if needs_x else None)
        return (
            _Adjoint.apply(grad_output, weight) if needs_x else None,
            _Correlation.apply(x, grad_output) if needs_weight else None,
        )


class _Adjoint(Function):
    """Gradient of the inputs, the transpose of the linear map from inputs to outputs."""

    @staticmethod
    def forward(ctx: Any, grad_output: torch.Tensor, weight: torch.Tensor) -> torch.Tensor | None:
        ctx.save_for_backward(grad_output, weight)
        return _backwards(grad_output, None, weight)[0]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        (x,), (grad_output, weight) = gradients, ctx.saved_tensors
        grad_grad_output = _Convolution.apply(x, weight) if ctx.needs_input_grad[0] else None
        grad_weight = _Correlation.apply(x, grad_output) if ctx.needs_input_grad[1] else None
        return grad_grad_output, grad_weight


class _Correlation(Function):
    """Gradient of the weight, bilinear in the inputs and in the gradient of the outputs."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, grad_output: torch.Tensor) -> torch.Tensor | None:
        ctx.save_for_backward(x, grad_output)
        return _backwards(grad_output, x, None)[1]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        (weight,), (x, grad_output) = gradients, ctx.saved_tensors
        grad_x = _Adjoint.apply(grad_output, weight) if ctx.needs_input_grad[0] else None
        grad_grad_output = _Convolution.apply(x, weight) if ctx.needs_input_grad[1] else None
        return grad_x, grad_grad_output


def _convolve(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Compute the convolution, a part of the images at a time."""
    from distillkit.nn.convolution import _tile_loops as loops

    n_rows, height, width, channels = x.shape
    kernel, n_outputs = _kernel(weight).transpose(1, 2), len(weight)
    a, b = points(x.dtype)
    down, across = -(-height // OUTPUTS), -(-width // OUTPUTS)
    x, result = x.contiguous(), x.new_empty(n_rows, height, width, n_outputs)
    for part in _parts(n_rows, down * across):
        n_tiles = len(x[part]) * down * across
        # 1. Cut the images into overlapping tiles, and transform them.
        input_tiles = scratch("rows", (_SIDE**2, n_tiles, channels), x.dtype)
        loops.cut_inputs(x[part].numpy(), down, across, a, b, input_tiles.numpy())
        # 2. Multiply tiles and kernels, summed over channels: one matrix product for each position.
        products = torch.bmm(input_tiles, kernel, out=scratch("products", (_SIDE**2, n_tiles, n_outputs), x.dtype))
        # 3. Transform the products to tiles of outputs.
        loops.place_outputs(products.numpy(), down, across, a, b, result[part].numpy())
    return result


def _backwards(
    grad_output: torch.Tensor, x: torch.Tensor | None, weight: torch.Tensor | None
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Compute the gradients of the inputs and of the weight.

    The gradient of the inputs is computed if `weight` is given, and that of the weight if `x` is.
    The steps are the transposes of those of `_convolve` in reverse order, so that the gradient of
    the outputs is transformed only once for both.
    """
    from distillkit.nn.convolution import _tile_loops as loops

    n_rows, height, width, n_outputs = grad_output.shape
    dtype = grad_output.dtype
    a, b = points(dtype)
    down, across = -(-height // OUTPUTS), -(-width // OUTPUTS)
    grad_output = grad_output.contiguous()
    grad_x = grad_kernel = kernel = None
    if weight is not None:
        kernel = _kernel(weight)
        grad_x = grad_output.new_empty(n_rows, height, width, kernel.shape[2])
    if x is not None:
        x = x.contiguous()
        grad_kernel = scratch("total", (_SIDE**2, n_outputs, x.shape[3]), dtype).zero_()
    for part in _parts(n_rows, down * across):
        n_tiles = len(grad_output[part]) * down * across
        # 1. Cut the gradient of the outputs into tiles, and transform them.
        products = scratch("products", (_SIDE**2, n_tiles, n_outputs), dtype)
        loops.cut_gradients(grad_output[part].numpy(), down, across, a, b, products.numpy())
        # 2. Add up the gradient of the transformed kernels.
        if x is not None and grad_kernel is not None:
            input_tiles = scratch("rows", (_SIDE**2, n_tiles, x.shape[3]), dtype)
            loops.cut_inputs(x[part].numpy(), down, across, a, b, input_tiles.numpy())
            torch.baddbmm(grad_kernel, products.transpose(1, 2), input_tiles, out=grad_kernel)
        # 3. Transform the gradient of the tiles of inputs back, and add it up where they overlap.
        if kernel is not None and grad_x is not None:
            input_tiles = torch.bmm(products, kernel, out=scratch("rows", (_SIDE**2, n_tiles, kernel.shape[2]), dtype))
            loops.add_inputs(input_tiles.numpy(), down, across, a, b, grad_x[part].numpy())
    if grad_kernel is None or x is None:
        return grad_x, None
    # 4. Transform the gradient of the kernels back.
    grad_weight = _on_both_sides("taps", transforms(dtype).taps.T, grad_kernel.view(_SIDE, _SIDE, -1))
    grad_weight = grad_weight.view(TAPS, TAPS, n_outputs, x.shape[3])
    return grad_x, grad_weight.permute(2, 3, 0, 1).clone(memory_format=torch.contiguous_format)


def _kernel(weight: torch.Tensor) -> torch.Tensor:
    """Compute the transformed kernels (36, outputs, channels), in scratch memory."""
    taps = weight.permute(2, 3, 0, 1).reshape(TAPS, TAPS, -1)
    return _on_both_sides("kernel", transforms(weight.dtype).taps, taps).view(_SIDE**2, *weight.shape[:2])


def _parts(n_rows: int, tiles: int) -> list[slice]:
    """Divide the images evenly into parts of about `_TILES` tiles each."""
    return in_pieces(n_rows, -(-n_rows // max(1, round(n_rows * tiles / _TILES))))


def _on_both_sides(name: str, matrix: torch.Tensor, tiles: torch.Tensor) -> torch.Tensor:
    """Multiply tiles (q, q, n) by the matrix (p, q) on the left and by its transpose on the right.

    Returns
    -------
    tensor of shape (p, p, n)
        The products, in the scratch memory of the given name.
    """
    p, q = matrix.shape
    left_product = scratch("half", (p, q, tiles.shape[2]), tiles.dtype)
    torch.mm(matrix, tiles.reshape(q, -1), out=left_product.view(p, -1))
    both_products = scratch(name, (p, p, tiles.shape[2]), tiles.dtype)
    return torch.bmm(matrix.expand(p, p, q), left_product, out=both_products)
