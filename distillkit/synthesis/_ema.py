"""The generator whose weights are averaged over the steps."""

from __future__ import annotations

import copy

import torch
from torch import nn

__all__ = ["AveragedNetwork"]


class AveragedNetwork:
    """A copy of a network whose weights follow it as an exponential moving average; buffers are copied.

    After step t each weight is ``d w_avg + (1 - d) w`` with ``d = min(decay, t / (t + 50))``: the decay starts low, so that the
    first weights are soon forgotten.

    Parameters
    ----------
    network : Module
    decay : float, default=0.999

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
        """Take the weights after one more step."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 50))
        for mean, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(weight, 1 - decay)
        for kept, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(buffer)
