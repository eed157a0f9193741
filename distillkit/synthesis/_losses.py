"""The hinge losses of adversarial training."""

from __future__ import annotations

import torch

__all__ = ["discriminator_loss", "generator_loss"]


def discriminator_loss(real: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
    """Return the hinge loss ``mean max(0, 1 - D(real)) + mean max(0, 1 + D(generated))``.

    Parameters
    ----------
    real, generated : tensor of shape (b,)
        Scores D of the discriminator.

    References
    ----------
    Lim and Ye, "Geometric GAN", 2017, arXiv:1705.02894.
    """
    return torch.relu(1 - real).mean() + torch.relu(1 + generated).mean()


def generator_loss(generated: torch.Tensor) -> torch.Tensor:
    """Return ``-mean D(generated)`` of the discriminator's scores (b,)."""
    return -generated.mean()
