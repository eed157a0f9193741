"""Generator and discriminator for images."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from distillkit.synthesis._layers import ConditionalBatchNorm, ProjectionHead, normed

__all__ = ["ImageDiscriminator", "ImageGenerator"]


def doublings(height: int, width: int) -> int:
    """Return how often the shorter side can be halved with 4 pixels left, at least once."""
    return max(1, (min(height, width) // 4).bit_length() - 1)


class ImageGenerator(nn.Module):
    """Noise and condition -> a small image of features -> doublings by transposed convolutions -> tanh.

    The first image has the sides of the wanted one divided by ``2^doublings``, rounded up (28 -> 7, 32 -> 4, 30 -> 8); what is
    too much after the last doubling is cropped evenly on all sides.

    Parameters
    ----------
    shape : tuple (channels, height, width)
        Sides of at least 8.
    n_conditions : int
    latent : int
        Numbers of noise per image.
    width : int
        Channels at full size; twice as many at half size, and so on.
    """

    def __init__(self, shape: tuple[int, int, int], n_conditions: int, *, latent: int = 64, width: int = 32) -> None:
        super().__init__()
        channels, *self.sides = shape
        steps = doublings(*self.sides)
        self.base = [-(-side // 2**steps) for side in self.sides]
        widths = [width * 2 ** max(0, steps - 1 - level) for level in range(steps + 1)]
        self.embedding = nn.Linear(n_conditions, 16, bias=False)
        self.first = nn.Linear(latent + 16, widths[0] * self.base[0] * self.base[1])
        self.norms = nn.ModuleList(ConditionalBatchNorm(wide, n_conditions) for wide in widths)
        self.convs = nn.ModuleList(nn.ConvTranspose2d(before, after, 4, 2, 1) for before, after in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, noise: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map noise (b, latent) and weights (b, n_conditions) to images (b, channels, height, width) in (-1, 1)."""
        h = self.first(torch.cat([noise, self.embedding(condition)], dim=1))
        h = torch.relu(self.norms[0](h.view(len(noise), -1, *self.base), condition))
        for conv, norm in zip(self.convs, self.norms[1:], strict=True):
            h = torch.relu(norm(conv(h), condition))
        return torch.tanh(self._cropped(self.last(h)).float())

    def _cropped(self, h: torch.Tensor) -> torch.Tensor:
        top, left = ((have - want) // 2 for have, want in zip(h.shape[2:], self.sides, strict=True))
        return h[:, :, top : top + self.sides[0], left : left + self.sides[1]]


class ImageDiscriminator(nn.Module):
    """Strided convolutions with spectral norm down to about 4x4, a sum over the places, and a projection head.

    Parameters
    ----------
    shape : tuple (channels, height, width)
    n_conditions : int
    width : int
        Channels of the first convolution, doubled by each that follows, up to eight times.
    """

    def __init__(self, shape: tuple[int, int, int], n_conditions: int, *, width: int = 32) -> None:
        super().__init__()
        before, side, layers = shape[0], min(shape[1:]), list[nn.Module]()
        while side > 4 or len(layers) < 4:
            wide = width * 2 ** min(3, len(layers) // 2)
            # 4x4 kernels halve even sides without overlap to one side; 3x3 keep the rim of odd ones
            kernel = 3 if side % 2 else 4
            layers += [normed(nn.Conv2d(before, wide, kernel, 2, 1)), nn.LeakyReLU(0.2)]
            before, side = wide, (side + 1) // 2
        self.body = nn.Sequential(*layers)
        self.head = ProjectionHead(before, n_conditions)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map images and weights (b, n_conditions) to scores (b,)."""
        scores: torch.Tensor = self.head(self.body(x).float().sum(dim=(2, 3)), condition)
        return scores
