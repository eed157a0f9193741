"""Layers that know what they are conditioned on."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["ConditionalBatchNorm", "ProjectionHead", "normed"]


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain and bias depend on the condition: ``(1 + c A) * (x - mean) / std + c B``.

    Parameters
    ----------
    channels : int
    n_conditions : int
        Width of the weights c of `Condition.encode`; A and B start at zero, so that all conditions start alike.

    References
    ----------
    de Vries et al., "Modulating early visual processing by language", NeurIPS 2017; in GANs: Miyato and Koyama,
    "cGANs with projection discriminator", ICLR 2018.
    """

    def __init__(self, channels: int, n_conditions: int) -> None:
        super().__init__()
        self.running_mean: torch.Tensor
        self.running_var: torch.Tensor
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.gain = nn.Parameter(torch.zeros(n_conditions, channels))
        self.bias = nn.Parameter(torch.zeros(n_conditions, channels))

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Normalise x (b, channels, ...) for weights (b, n_conditions)."""
        training = self.training and x.numel() > x.shape[1]  # a single value has no variance
        plain = nn.functional.batch_norm(x, self.running_mean, self.running_var, training=training)
        shape = (*x.shape[:2], *(1,) * (x.dim() - 2))
        gain, bias = 1 + condition @ self.gain, condition @ self.bias
        return torch.addcmul(bias.view(shape).to(plain), plain, gain.view(shape).to(plain))


class ProjectionHead(nn.Module):
    """The last layer of a discriminator: ``h . (w + sum_k c_k e_k) + b``.

    Parameters
    ----------
    features : int
    n_conditions : int

    References
    ----------
    Miyato and Koyama, "cGANs with projection discriminator", ICLR 2018.
    """

    def __init__(self, features: int, n_conditions: int) -> None:
        super().__init__()
        self.plain = normed(nn.Linear(features, 1))
        self.embedding = normed(nn.Linear(n_conditions, features, bias=False))

    def forward(self, h: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map features (b, features) and weights (b, n_conditions) to scores (b,)."""
        scores: torch.Tensor = self.plain(h)[:, 0] + (h * self.embedding(condition)).sum(dim=1)
        return scores


def normed(layer: nn.Module) -> nn.Module:
    """Divide a layer's weight by its largest singular value (one step of power iteration per pass in training).

    References
    ----------
    Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018.
    """
    return spectral_norm(layer)
