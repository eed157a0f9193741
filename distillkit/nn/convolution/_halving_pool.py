"""Average pooling by two, fast where it is differentiated twice."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["HalvingPool", "with_fast_pools"]


class HalvingPool(nn.Module):
    """What ``AvgPool2d(2)`` computes, as sums of every other row and column.

    torch's own pooling is not vectorized on the CPU for (n, channels, height, width), neither forwards nor backwards: with it, one
    update of ten 28x28 images (width 64, 16 real rows per class, one thread) takes 0.43 s, with this 0.18 s.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (..., height, width) to (..., height // 2, width // 2)."""
        x = x[..., : x.shape[-2] // 2 * 2, : x.shape[-1] // 2 * 2]
        x = x[..., ::2, :] + x[..., 1::2, :]
        return (x[..., ::2] + x[..., 1::2]) * 0.25


def with_fast_pools(network: nn.Module) -> nn.Module:
    """Put `HalvingPool` where a network has plain average pooling by two, in place; it has no weights, so names stay."""
    for name, child in network.named_children():
        if isinstance(child, nn.AvgPool2d) and _halves(child):
            setattr(network, name, HalvingPool())
        else:
            with_fast_pools(child)
    return network


def _halves(pool: nn.AvgPool2d) -> bool:
    two = all(size in (2, (2, 2)) for size in (pool.kernel_size, pool.stride))
    plain = pool.padding in (0, (0, 0)) and not pool.ceil_mode
    return two and plain and pool.divisor_override is None
