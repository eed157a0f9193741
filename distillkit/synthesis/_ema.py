"""An exponential moving average of the generator's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn

__all__ = ["AveragedNetwork"]


class AveragedNetwork:
    """A copy of a network whose weights are the exponential moving average of the network's.

    After step t each weight is ``d w_avg + (1 - d) w`` with ``d = min(decay, t / (t + 50))``. The
    decay starts low, so that the first weights soon lose their influence. Buffers are copied.

    Parameters
    ----------
    network : Module
        Source of the first weights; its copy is the attribute `network`.
    decay : float, default=0.999
        Upper limit of the decay d.

    References
    ----------
    Yazici et al., "The unusual effectiveness of averaging in GAN training", ICLR 2019.
    """

    def __init__(self, network: nn.Module, decay: float = 0.999) -> None:
        self.network = copy.deepcopy(network).requires_grad_(requires_grad=False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Include the weights that the network has after one more step."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 50))
        for mean, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(weight, 1 - decay)
        for averaged_buffer, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            averaged_buffer.copy_(buffer)
