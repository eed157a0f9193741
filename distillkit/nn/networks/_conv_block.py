"""A block of the convolutional network: 3x3 convolution, norm, ReLU and 2x2 average pooling."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from distillkit.nn.convolution._first_block import conv_relu_pool, patches
from distillkit.nn.convolution._norm_relu_pool import halve, norm_relu_pool
from distillkit.nn.convolution._winograd import winograd_conv
from distillkit.nn.runtime._compiled import can_compile

__all__ = ["ConvBlock"]

_FEW = 4  # largest number of channels for which the patch method is used instead of tiles
_MANY = 32  # smallest number of channels for which minimal filtering of tiles is faster
_WORK = 320  # smallest number of rows times channels for which the fast methods outweigh their overhead


class ConvBlock(nn.Module):
    """Convolution, normalization, ReLU and average pooling, with a fast path on the CPU.

    The fast path serves float32 and float64 on the CPU with instance normalization or none. It
    computes the same function with fewer products and fewer passes through memory: convolutions use
    minimal filtering or a matrix product of patches, and one compiled loop does all that follows.
    In all other cases, and without numba, the layers run one after another.

    Parameters
    ----------
    before, after : int
        Number of input channels and of output channels.
    norm : Module
        Normalization layer. The fast path needs `GroupNorm` with one group per channel (instance
        normalization), or `Identity`.
    padding : int, default=1
        Zero padding of the convolution, in pixels.
    """

    def __init__(self, before: int, after: int, norm: nn.Module, *, padding: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 3, padding=padding)
        self.norm = norm
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, before, height, width) to (n, after, height // 2, width // 2)."""
        if not self._is_plain(x):
            if self.conv.in_channels <= _FEW and self._is_even(x):
                return self._of_patches(x)
            if min(self.conv.weight.shape[:2]) >= _MANY and self.conv.padding[0] == 1:
                return self._of_tiles(x)
        return self.pool(F.relu(self.norm(self.conv(x.contiguous()))))  # type: ignore[no-any-return]

    def _is_plain(self, x: torch.Tensor) -> bool:
        """Tell whether torch's own layers have to compute, since the fast path does not apply."""
        weight = self.conv.weight
        fits = x.device.type == "cpu" and x.dtype == weight.dtype and x.dtype in (torch.float32, torch.float64)
        by_channel = isinstance(self.norm, nn.GroupNorm) and self.norm.num_groups == self.norm.num_channels
        fits = fits and (by_channel or isinstance(self.norm, nn.Identity)) and len(x) * len(weight) >= _WORK
        return not fits or torch.is_autocast_enabled("cpu") or _transformed(x, weight) or not can_compile()

    def _is_even(self, x: torch.Tensor) -> bool:
        """Tell whether the outputs of the convolution have even height and width."""
        growth = 2 * self.conv.padding[0] - 2  # type: ignore[operator]
        return (x.shape[2] + growth) % 2 == 0 and (x.shape[3] + growth) % 2 == 0

    def _of_patches(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the block as a matrix product of image patches, for few input channels."""
        # 1. Extract the patches, and write the convolution as a matrix.
        patch_rows = patches(x, self.conv.padding[0])  # type: ignore[arg-type]
        n_rows, outputs, inner = patch_rows.shape
        taps = self.conv.weight.view(len(self.conv.weight), inner).T
        if isinstance(self.norm, nn.GroupNorm):
            # 2. The convolution is linear, so the mean and the variance of its outputs follow from
            # the mean and the covariance of the patches. Normalize by centering the patches and
            # scaling the kernel of each image.
            patch_rows = patch_rows - patch_rows.mean(1, keepdim=True)
            covariance = patch_rows.transpose(1, 2) @ patch_rows / outputs
            variance = (taps * (covariance @ taps)).sum(1, keepdim=True)
            kernel = taps * (self.norm.weight * torch.rsqrt(variance + self.norm.eps))
            shift = self._shift()
        else:
            kernel, shift = taps.expand(n_rows, *taps.shape), self._bias()
        # 3. Add the shift as an extra row of the kernel, and compute convolution, ReLU and pooling.
        patch_rows = torch.cat([patch_rows, patch_rows.new_ones(n_rows, outputs, 1)], 2)
        kernel = torch.cat([kernel, shift.expand(n_rows, 1, len(shift))], 1)
        out_height = (x.shape[2] + 2 * self.conv.padding[0] - 2) // 2  # type: ignore[operator]
        return conv_relu_pool(patch_rows, kernel).view(n_rows, out_height, -1, len(shift)).permute(0, 3, 1, 2)

    def _of_tiles(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the block by minimal filtering of tiles, for many channels."""
        outputs = winograd_conv(x.permute(0, 2, 3, 1), self.conv.weight)
        if isinstance(self.norm, nn.GroupNorm):
            pooled = norm_relu_pool(outputs, self.norm.weight, self._shift(), self.norm.eps)
        else:
            pooled = halve(F.relu(outputs + self._bias()))
        return pooled.permute(0, 3, 1, 2)

    def _bias(self) -> torch.Tensor:
        """Return the bias of the convolution."""
        assert self.conv.bias is not None
        return self.conv.bias

    def _shift(self) -> torch.Tensor:
        """Return the shift of the normalization layer.

        The bias of the convolution has no effect before a normalization; adding zero times the bias
        gives it a gradient of zero instead of none.
        """
        return self.norm.bias + 0 * self._bias()  # type: ignore[operator]


def _transformed(*tensors: torch.Tensor) -> bool:
    """Tell whether `torch.func`, which supports only torch's own operations, transforms tensors."""
    library = getattr(torch, "_C", None)  # not part of torch's stable interface
    wrapped = getattr(getattr(library, "_functorch", None), "is_functorch_wrapped_tensor", None)
    return wrapped is not None and any(wrapped(tensor) for tensor in tensors)
