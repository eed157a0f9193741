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

_FEW = 4  # channels of images: too few for tiles to pay
_MANY = 32  # channels from which tiles pay
_WORK = 320  # rows times channels from which they pay for the calls they take


class ConvBlock(nn.Module):
    """Convolution, norm, ReLU, pooling.

    On the CPU in float32 or float64 the same is computed in fewer products and fewer passes through memory, with the channels
    last in memory: convolutions by minimal filtering, and what follows them in one step, by compiled loops. Elsewhere, with batch
    norm, and without numba, the layers follow one another as they stand.

    Parameters
    ----------
    before, after : int
        Channels.
    norm : Module
        `GroupNorm` with a group for each channel, or `Identity`, for the fast way.
    padding : int, default=1
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
        weight = self.conv.weight
        fits = x.device.type == "cpu" and x.dtype == weight.dtype and x.dtype in (torch.float32, torch.float64)
        by_channel = isinstance(self.norm, nn.GroupNorm) and self.norm.num_groups == self.norm.num_channels
        fits = fits and (by_channel or isinstance(self.norm, nn.Identity)) and len(x) * len(weight) >= _WORK
        return not fits or torch.is_autocast_enabled("cpu") or _transformed(x, weight) or not can_compile()

    def _is_even(self, x: torch.Tensor) -> bool:
        more = 2 * self.conv.padding[0] - 2  # type: ignore[operator]
        return (x.shape[2] + more) % 2 == 0 and (x.shape[3] + more) % 2 == 0

    def _of_patches(self, x: torch.Tensor) -> torch.Tensor:
        seen = patches(x, self.conv.padding[0])  # type: ignore[arg-type]
        n_rows, outputs, inner = seen.shape
        taps = self.conv.weight.view(len(self.conv.weight), inner).T
        if isinstance(self.norm, nn.GroupNorm):
            # mean and variance of the outputs follow from those of what they see, so the norm can be done to the kernel
            seen = seen - seen.mean(1, keepdim=True)
            spread = seen.transpose(1, 2) @ seen / outputs
            variance = (taps * (spread @ taps)).sum(1, keepdim=True)
            kernel = taps * (self.norm.weight * torch.rsqrt(variance + self.norm.eps))
            shift = self._shift()
        else:
            kernel, shift = taps.expand(n_rows, *taps.shape), self._bias()
        seen = torch.cat([seen, seen.new_ones(n_rows, outputs, 1)], 2)
        kernel = torch.cat([kernel, shift.expand(n_rows, 1, len(shift))], 1)
        down = (x.shape[2] + 2 * self.conv.padding[0] - 2) // 2  # type: ignore[operator]
        return conv_relu_pool(seen, kernel).view(n_rows, down, -1, len(shift)).permute(0, 3, 1, 2)

    def _of_tiles(self, x: torch.Tensor) -> torch.Tensor:
        outer = winograd_conv(x.permute(0, 2, 3, 1), self.conv.weight)
        if isinstance(self.norm, nn.GroupNorm):
            inner = norm_relu_pool(outer, self.norm.weight, self._shift(), self.norm.eps)
        else:
            inner = halve(F.relu(outer + self._bias()))
        return inner.permute(0, 3, 1, 2)

    def _bias(self) -> torch.Tensor:
        assert self.conv.bias is not None
        return self.conv.bias

    def _shift(self) -> torch.Tensor:
        """Return the norm's shift; the convolution's bias, which the norm takes out, keeps a gradient, of zero."""
        return self.norm.bias + 0 * self._bias()  # type: ignore[operator]


def _transformed(*tensors: torch.Tensor) -> bool:
    """Whether `torch.func` maps or differentiates here, which knows torch's own operations only."""
    library = getattr(torch, "_C", None)  # not part of torch's stable interface
    wrapped = getattr(getattr(library, "_functorch", None), "is_functorch_wrapped_tensor", None)
    return wrapped is not None and any(wrapped(tensor) for tensor in tensors)
