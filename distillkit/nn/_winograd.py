"""3x3 convolution by minimal filtering, differentiable any number of times."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function

from distillkit.nn._scratch import scratch
from distillkit.nn._winograd_matrices import OUTPUTS, TAPS, transforms

__all__ = ["winograd_conv"]

_SIDE = OUTPUTS + TAPS - 1
_TILES = 128  # at a time: enough rows for a product of matrices, few enough for the cache


def winograd_conv(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the 3x3 convolution with stride 1 and padding 1, on the CPU.

    A quarter of the products of the direct sum, for tiles of 4x4 outputs: forwards and backwards through 128 channels takes 0.6 of
    the time that torch's own takes.

    Parameters
    ----------
    x : tensor of shape (n, height, width, channels)
        float32 or float64.
    weight : tensor of shape (outputs, channels, 3, 3)

    Returns
    -------
    tensor of shape (n, height, width, outputs)

    References
    ----------
    Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016 (arXiv:1509.09308).
    """
    return _Convolution.apply(x, weight)  # type: ignore[no-any-return]


class _Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        return _convolve(x, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        (given,), (x, weight) = gradients, ctx.saved_tensors
        of_x, of_weight = ctx.needs_input_grad
        if not torch.is_grad_enabled():  # both at once, from the same tiles
            return _backwards(given, x if of_weight else None, weight if of_x else None)
        return (
            _Adjoint.apply(given, weight) if of_x else None,
            _Correlation.apply(x, given) if of_weight else None,
        )


class _Adjoint(Function):
    """The gradient of the convolution's inputs: the transpose of the map from inputs to outputs."""

    @staticmethod
    def forward(ctx: Any, given: torch.Tensor, weight: torch.Tensor) -> torch.Tensor | None:
        ctx.save_for_backward(given, weight)
        return _backwards(given, None, weight)[0]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        (x,), (given, weight) = gradients, ctx.saved_tensors
        of_given = _Convolution.apply(x, weight) if ctx.needs_input_grad[0] else None
        of_weight = _Correlation.apply(x, given) if ctx.needs_input_grad[1] else None
        return of_given, of_weight


class _Correlation(Function):
    """The gradient of the convolution's weight: bilinear in the inputs and the gradient of the outputs."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, given: torch.Tensor) -> torch.Tensor | None:
        ctx.save_for_backward(x, given)
        return _backwards(given, x, None)[1]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        (weight,), (x, given) = gradients, ctx.saved_tensors
        of_x = _Adjoint.apply(given, weight) if ctx.needs_input_grad[0] else None
        of_given = _Convolution.apply(x, weight) if ctx.needs_input_grad[1] else None
        return of_x, of_given


def _convolve(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    n_rows, height, width, _ = x.shape
    to, kernel = transforms(x.dtype), _kernel(weight).transpose(1, 2)
    channels = len(weight)
    down, across, step = _tiling(height, width)
    result = x.new_empty(n_rows, height, width, channels)
    for begin in range(0, n_rows, step):
        part = slice(begin, begin + step)
        rows = _tiles("rows", x[part], to.rows, down, across)
        products = torch.bmm(rows, kernel, out=scratch("products", (_SIDE**2, rows.shape[1], channels), x.dtype))
        tiles = _on_both_sides("tiles", to.outputs, products.view(_SIDE, _SIDE, -1))
        placed = tiles.view(OUTPUTS, OUTPUTS, -1, down, across, channels).permute(2, 3, 0, 4, 1, 5)
        if (down * OUTPUTS, across * OUTPUTS) == (height, width):
            result[part].view(-1, down, OUTPUTS, across, OUTPUTS, channels).copy_(placed)
        else:
            result[part] = placed.reshape(-1, down * OUTPUTS, across * OUTPUTS, channels)[:, :height, :width]
    return result


def _backwards(
    given: torch.Tensor, x: torch.Tensor | None, weight: torch.Tensor | None
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return the gradient of the inputs where the weight is there, and that of the weight where the inputs are.

    The transpose of what `_convolve` does, step by step from its end, so that the outputs' gradient is transformed once for both.
    """
    n_rows, height, width, outer = given.shape
    to = transforms(given.dtype)
    down, across, step = _tiling(height, width)
    of_x = total = kernel = None
    if weight is not None:
        kernel = _kernel(weight)
        of_x = given.new_empty(n_rows, height, width, kernel.shape[2])
    if x is not None:
        total = scratch("total", (_SIDE**2, outer, x.shape[3]), given.dtype).zero_()
    for begin in range(0, n_rows, step):
        part = slice(begin, begin + step)
        products = _tiles("products", given[part], to.outputs.T, down, across)
        if x is not None and total is not None:
            rows = _tiles("rows", x[part], to.rows, down, across)
            torch.baddbmm(total, products.transpose(1, 2), rows, out=total)
        if kernel is not None and of_x is not None:
            inner = kernel.shape[2]
            rows = torch.bmm(products, kernel, out=scratch("rows", (_SIDE**2, products.shape[1], inner), given.dtype))
            tiles = _on_both_sides("tiles", to.rows.T, rows.view(_SIDE, _SIDE, -1))
            _add_up(tiles.view(_SIDE, _SIDE, -1, down, across, inner), of_x[part])
    if total is None or x is None:
        return of_x, None
    of_weight = _on_both_sides("taps", to.taps.T, total.view(_SIDE, _SIDE, -1)).view(TAPS, TAPS, outer, x.shape[3])
    return of_x, of_weight.permute(2, 3, 0, 1).clone(memory_format=torch.contiguous_format)


def _kernel(weight: torch.Tensor) -> torch.Tensor:
    """Return the transformed kernels (36, outputs, channels), in scratch memory."""
    taps = weight.permute(2, 3, 0, 1).reshape(TAPS, TAPS, -1)
    return _on_both_sides("kernel", transforms(weight.dtype).taps, taps).view(_SIDE**2, *weight.shape[:2])


def _tiling(height: int, width: int) -> tuple[int, int, int]:
    """Tiles down and across, and images at a time."""
    down, across = -(-height // OUTPUTS), -(-width // OUTPUTS)
    return down, across, max(1, _TILES // (down * across))


def _add_up(tiles: torch.Tensor, into: torch.Tensor) -> None:
    """Put tiles of 6x6, which overlap by two, where `_tiles` cut them out, and add what meets.

    Parameters
    ----------
    tiles : tensor of shape (6, 6, n, down, across, channels)
    into : tensor of shape (n, height, width, channels)
    """
    side, _, n_rows, down, across, channels = tiles.shape
    height, width = into.shape[1:3]
    margin, more = (side - OUTPUTS) // 2, side - OUTPUTS
    tall, wide = down * OUTPUTS, across * OUTPUTS
    total = scratch("padded", (n_rows, tall + more, wide + more, channels), tiles.dtype)
    total[:, tall:].zero_()
    total[:, :, wide:].zero_()
    first = total[:, :tall, :wide].view(n_rows, down, OUTPUTS, across, OUTPUTS, channels)
    first.copy_(tiles[:OUTPUTS, :OUTPUTS].permute(2, 3, 0, 4, 1, 5))
    for row in range(OUTPUTS, side):
        places = total[:, row : row + tall : OUTPUTS]
        block = places[:, :, :wide].view(n_rows, down, across, OUTPUTS, channels)
        block.add_(tiles[row, :OUTPUTS].permute(1, 2, 3, 0, 4))
        for column in range(OUTPUTS, side):
            places[:, :, column : column + wide : OUTPUTS].add_(tiles[row, column])
    for column in range(OUTPUTS, side):
        places = total[:, :tall, column : column + wide : OUTPUTS]
        block = places.view(n_rows, down, OUTPUTS, across, channels)
        block.add_(tiles[:OUTPUTS, column].permute(1, 2, 0, 3, 4))
    into.copy_(total[:, margin : margin + height, margin : margin + width])


def _tiles(name: str, x: torch.Tensor, matrix: torch.Tensor, down: int, across: int) -> torch.Tensor:
    """Cut images into tiles and transform each.

    Tiles are those of the outputs, 4x4, or of the inputs, 6x6, which overlap; zeros are outside.

    Returns
    -------
    tensor of shape (36, tiles, channels)
    """
    n_rows, height, width, channels = x.shape
    side = matrix.shape[1]
    margin = (side - OUTPUTS) // 2
    below, right = down * OUTPUTS + margin - height, across * OUTPUTS + margin - width
    if margin or below or right:
        padded = scratch("padded", (n_rows, margin + height + below, margin + width + right, channels), x.dtype)
        for outside in (
            padded[:, :margin],
            padded[:, margin + height :],
            padded[:, :, :margin],
            padded[:, :, margin + width :],
        ):
            outside.zero_()
        padded[:, margin : margin + height, margin : margin + width] = x
        x = padded
    tiles = scratch("tiles", (side, side, n_rows, down, across, channels), x.dtype)
    tiles.copy_(x.unfold(1, side, OUTPUTS).unfold(2, side, OUTPUTS).permute(4, 5, 0, 1, 2, 3))
    return _on_both_sides(name, matrix, tiles.view(side, side, -1)).view(_SIDE**2, -1, channels)


def _on_both_sides(name: str, matrix: torch.Tensor, tiles: torch.Tensor) -> torch.Tensor:
    """Multiply tiles (q, q, n) by the matrix (p, q) from the left and by its transpose from the right.

    Returns
    -------
    tensor of shape (p, p, n)
        In the scratch memory of that name.
    """
    into, across = matrix.shape
    half = scratch("half", (into, across, tiles.shape[2]), tiles.dtype)
    torch.mm(matrix, tiles.reshape(across, -1), out=half.view(into, -1))
    found = scratch(name, (into, into, tiles.shape[2]), tiles.dtype)
    return torch.bmm(matrix.expand(into, into, across), half, out=found)
