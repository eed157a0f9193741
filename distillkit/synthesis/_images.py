"""The convolutional generator and discriminator for images."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from distillkit.synthesis._layers import ConditionalBatchNorm, ProjectionHead, spectrally_normalized

__all__ = ["ImageDiscriminator", "ImageGenerator"]


def doublings(height: int, width: int) -> int:
    """Return how often the shorter side can be halved to 4 pixels or more, but at least 1."""
    return max(1, (min(height, width) // 4).bit_length() - 1)


class ImageGenerator(nn.Module):
    """A generator of images: a dense layer, transposed convolutions that double the sides, tanh.

    The first feature map has the sides of the image divided by ``2^doublings``, rounded up
    (28 -> 7, 32 -> 4, 30 -> 8). Surplus pixels after the last doubling are cropped evenly on all
    sides.

    Parameters
    ----------
    shape : tuple (channels, height, width)
        Sides of at least 8.
    n_conditions : int
        Number of embeddings of the condition.
    latent : int
        Size of the noise vector.
    width : int
        Channels at full size and at half size. Each further halving of the sides has twice as many.
    """

    def __init__(self, shape: tuple[int, int, int], n_conditions: int, *, latent: int = 64, width: int = 32) -> None:
        super().__init__()
        channels, *self.sides = shape
        steps = doublings(*self.sides)
        self.base = [-(-side // 2**steps) for side in self.sides]
        widths = [width * 2 ** max(0, steps - 1 - level) for level in range(steps + 1)]
        self.embedding = nn.Linear(n_conditions, 16, bias=False)
        self.first = nn.Linear(latent + 16, widths[0] * self.base[0] * self.base[1])
        self.norms = nn.ModuleList(ConditionalBatchNorm(n_out, n_conditions) for n_out in widths)
        self.convs = nn.ModuleList(nn.ConvTranspose2d(n_in, n_out, 4, 2, 1) for n_in, n_out in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, noise: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map noise (b, latent) and embedding weights (b, n_conditions) to images.

        Returns
        -------
        tensor of shape (b, channels, height, width)
            In (-1, 1).
        """
        h = self.first(torch.cat([noise, self.embedding(condition)], dim=1))
        h = torch.relu(self.norms[0](h.view(len(noise), -1, *self.base), condition))
        for conv, norm in zip(self.convs, self.norms[1:], strict=True):
            h = torch.relu(norm(conv(h), condition))
        return torch.tanh(self._cropped(self.last(h)).float())

    def _cropped(self, h: torch.Tensor) -> torch.Tensor:
        top, left = ((size - side) // 2 for size, side in zip(h.shape[2:], self.sides, strict=True))
        return h[:, :, top : top + self.sides[0], left : left + self.sides[1]]


class ImageDiscriminator(nn.Module):
    """A discriminator of images: strided convolutions, a sum over all pixels and a projection head.

    The convolutions have spectral normalization and reduce the shorter side to 4 pixels or fewer.

    Parameters
    ----------
    shape : tuple (channels, height, width)
    n_conditions : int
        Number of embeddings of the condition.
    width : int
        Channels of the first convolution, doubled by each that follows, up to eight times as many.
    """

    def __init__(self, shape: tuple[int, int, int], n_conditions: int, *, width: int = 32) -> None:
        super().__init__()
        n_in, side, layers = shape[0], min(shape[1:]), list[nn.Module]()
        while side > 4 or len(layers) < 4:
            n_out = width * 2 ** min(3, len(layers) // 2)
            # 4x4 kernels halve even sides symmetrically; 3x3 kernels do so for odd sides.
            kernel = 3 if side % 2 else 4
            layers += [spectrally_normalized(nn.Conv2d(n_in, n_out, kernel, 2, 1)), nn.LeakyReLU(0.2)]
            n_in, side = n_out, (side + 1) // 2
        self.body = nn.Sequential(*layers)
        self.head = ProjectionHead(n_in, n_conditions)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map images and embedding weights (b, n_conditions) to scores (b,)."""
        scores: torch.Tensor = self.head(self.body(x).float().sum(dim=(2, 3)), condition)
        return scores
