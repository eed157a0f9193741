"""A trained generator that makes rows in the units of the data."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import nn

from distillkit.nn import evaluating, make_generator
from distillkit.synthesis._condition import Condition, embedding_weights
from distillkit.synthesis._encoding import Codec

__all__ = ["FittedGenerator"]


@dataclass(frozen=True, eq=False)
class FittedGenerator:
    """A generator network with its codec and condition, which makes rows for given labels.

    Parameters
    ----------
    network : Module
        Maps noise (b, latent) and embedding weights (b, n_conditions) to encoded rows.
    codec : Codec
    condition : Condition
    latent : int
        Size of the noise vector.
    """

    network: nn.Module
    codec: Codec
    condition: Condition
    latent: int

    @torch.inference_mode()
    def encoded(self, n_rows: int, y: np.ndarray | None, seed: int, *, batch_size: int = 256) -> np.ndarray:
        """Generate rows (n_rows, ...) in the units of the networks, float32.

        Parameters
        ----------
        n_rows : int
        y : ndarray of shape (n_rows,) or None
            Labels of the rows.
        seed : int
            Seeds the noise.
        batch_size : int
            Rows per pass through the network; it affects the rows by rounding only.
        """
        noise = torch.randn(n_rows, self.latent, dtype=torch.float32, generator=make_generator(seed))
        positions = torch.as_tensor(self.condition.positions(y, n_rows))
        device = next(self.network.parameters()).device
        parts = []
        with evaluating(self.network):
            for start in range(0, n_rows, batch_size):
                block = slice(start, start + batch_size)
                weights = embedding_weights(positions[block].to(device), self.condition.width)
                parts.append(self.network(noise[block].to(device), weights).float().cpu())
        return np.ascontiguousarray(torch.cat(parts).numpy())

    def rows(self, n_rows: int, y: np.ndarray | None, seed: int) -> np.ndarray:
        """Generate rows (n_rows, ...), float64, in the units and range of the training rows."""
        return self.codec.decode(self.encoded(n_rows, y, seed))

    def on_cpu(self) -> Self:
        """Return a copy whose network is on the CPU."""
        return replace(self, network=copy.deepcopy(self.network).cpu())
