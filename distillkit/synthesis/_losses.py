"""The hinge losses of adversarial training."""

from __future__ import annotations

import torch

__all__ = ["discriminator_loss", "generator_loss"]


def discriminator_loss(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """``mean max(0, 1 - D(real)) + mean max(0, 1 + D(made))`` of scores (b,).

    References
    ----------
    Lim and Ye, "Geometric GAN", 2017, arXiv:1705.02894.
    """
    return torch.relu(1 - real).mean() + torch.relu(1 + made).mean()


def generator_loss(made: torch.Tensor) -> torch.Tensor:
    """``-mean D(made)`` of scores (b,)."""
    return -made.mean()
