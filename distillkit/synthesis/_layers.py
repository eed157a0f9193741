"""Conditional layers of generators and discriminators, and spectral normalization."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["ConditionalBatchNorm", "ProjectionHead", "spectrally_normalized"]


class ConditionalBatchNorm(nn.Module):
    """Batch normalization with gain and bias by condition: ``(1 + c A) (x - mean) / std + c B``.

    Parameters
    ----------
    channels : int
    n_conditions : int
        Number of embeddings, which is the length of the weights c from `embedding_weights`. A and B
        start at zero, so that all conditions start equal.

    References
    ----------
    de Vries et al., "Modulating early visual processing by language", NeurIPS 2017; used in GANs by
    Miyato and Koyama, "cGANs with projection discriminator", ICLR 2018.
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
        """Normalize x (b, channels, ...) for embedding weights (b, n_conditions)."""
        training = self.training and x.numel() > x.shape[1]  # a single value per channel has no variance
        normalized = nn.functional.batch_norm(x, self.running_mean, self.running_var, training=training)
        shape = (*x.shape[:2], *(1,) * (x.dim() - 2))
        gain, bias = 1 + condition @ self.gain, condition @ self.bias
        return torch.addcmul(bias.view(shape).to(normalized), normalized, gain.view(shape).to(normalized))


class ProjectionHead(nn.Module):
    """The projection head of a discriminator: ``h . (w + sum_k c_k e_k) + b``.

    Parameters
    ----------
    features : int
        Length of the feature vector h.
    n_conditions : int
        Number of embeddings e.

    References
    ----------
    Miyato and Koyama, "cGANs with projection discriminator", ICLR 2018.
    """

    def __init__(self, features: int, n_conditions: int) -> None:
        super().__init__()
        self.plain = spectrally_normalized(nn.Linear(features, 1))
        self.embedding = spectrally_normalized(nn.Linear(n_conditions, features, bias=False))

    def forward(self, h: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map features (b, features) and embedding weights (b, n_conditions) to scores (b,)."""
        scores: torch.Tensor = self.plain(h)[:, 0] + (h * self.embedding(condition)).sum(dim=1)
        return scores


def spectrally_normalized(layer: nn.Module) -> nn.Module:
    """Divide a layer's weight by its largest singular value, in place, and return the layer.

    The singular value is estimated by one step of power iteration per forward pass in training.

    References
    ----------
    Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018.
    """
    return spectral_norm(layer)
