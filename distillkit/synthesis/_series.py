"""The convolutional generator and discriminator for series."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from distillkit.synthesis._layers import ConditionalBatchNorm, ProjectionHead, spectrally_normalized

__all__ = ["SeriesDiscriminator", "SeriesGenerator"]


def doublings(length: int) -> int:
    """Return how often a length can be halved to 6 time steps or more, but at least 1."""
    return max(1, (length // 6).bit_length() - 1)


class SeriesGenerator(nn.Module):
    """A generator of series: a dense layer, and transposed convolutions that double the length.

    The first length is the length of the series divided by ``2^doublings``, rounded up (24 -> 6,
    84 -> 11, 150 -> 10). Surplus time steps after the last doubling are cropped evenly at both
    ends.

    Parameters
    ----------
    shape : tuple (channels, time)
        At least 8 time steps.
    n_conditions : int
        Number of embeddings of the condition.
    latent : int
        Size of the noise vector.
    width : int
        Channels at full length. Each halving of the length has twice as many, up to four times as
        many.
    """

    def __init__(self, shape: tuple[int, int], n_conditions: int, *, latent: int = 64, width: int = 32) -> None:
        super().__init__()
        channels, self.length = shape
        steps = doublings(self.length)
        self.base = -(-self.length // 2**steps)
        widths = [width * min(4, 2 ** (steps - level)) for level in range(steps + 1)]
        self.embedding = nn.Linear(n_conditions, 16, bias=False)
        self.first = nn.Linear(latent + 16, widths[0] * self.base)
        self.norms = nn.ModuleList(ConditionalBatchNorm(n_out, n_conditions) for n_out in widths)
        self.convs = nn.ModuleList(nn.ConvTranspose1d(n_in, n_out, 6, 2, 2) for n_in, n_out in pairwise(widths))
        self.last = nn.Conv1d(widths[-1], channels, 5, padding=2)

    def forward(self, noise: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map noise (b, latent) and embedding weights (b, n_conditions) to series.

        Returns
        -------
        tensor of shape (b, channels, time)
        """
        h = self.first(torch.cat([noise, self.embedding(condition)], dim=1))
        h = torch.relu(self.norms[0](h.view(len(noise), -1, self.base), condition))
        for conv, norm in zip(self.convs, self.norms[1:], strict=True):
            h = torch.relu(norm(conv(h), condition))
        h = self.last(h).float()
        start = (h.shape[2] - self.length) // 2
        series: torch.Tensor = h[:, :, start : start + self.length]
        return series


class SeriesDiscriminator(nn.Module):
    """A discriminator of series: strided convolutions and a projection head on all time steps.

    The convolutions have spectral normalization and reduce the length to 6 to 11 time steps, all of
    which the head sees. With a sum over the time steps in their place, a generator of waves easily
    collapses to flat series.

    Parameters
    ----------
    shape : tuple (channels, time)
    n_conditions : int
        Number of embeddings of the condition.
    width : int
        Channels of the first convolution, doubled by each that follows, up to four times as many.
    """

    def __init__(self, shape: tuple[int, int], n_conditions: int, *, width: int = 32) -> None:
        super().__init__()
        n_in, length = shape
        layers: list[nn.Module] = []
        for level in range(max(2, doublings(shape[1]))):
            n_out = width * min(4, 2**level)
            layers += [spectrally_normalized(nn.Conv1d(n_in, n_out, 5, 2, 2)), nn.LeakyReLU(0.2)]
            n_in, length = n_out, (length + 1) // 2
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.head = ProjectionHead(n_in * length, n_conditions)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map series and embedding weights (b, n_conditions) to scores (b,)."""
        scores: torch.Tensor = self.head(self.body(x).float(), condition)
        return scores
