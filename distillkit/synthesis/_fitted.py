"""A trained generator that makes rows in the units of the data."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from distillkit.nn import evaluating, make_generator
from distillkit.synthesis._condition import Condition
from distillkit.synthesis._embeddings import embedding_weights
from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._networks import make_networks

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
    width : int
        Channels of the feature maps.
    """

    network: nn.Module
    codec: Codec
    condition: Condition
    latent: int
    width: int = 32

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

    def points(self, X: np.ndarray) -> np.ndarray:
        """Return rows as points (n, d), float32, in the units of the networks."""
        return self.codec.encode(X).reshape(len(X), -1)

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the weights of the network, and all else as plain values for JSON."""
        codec_arrays, codec = self.codec.to_state()
        condition_arrays, condition = self.condition.to_state()
        arrays = {f"network.{name}": _array(values) for name, values in self.network.state_dict().items()}
        arrays |= {f"codec.{name}": values for name, values in codec_arrays.items()}
        arrays |= {f"condition.{name}": values for name, values in condition_arrays.items()}
        state = {"codec": codec, "condition": condition, "latent": self.latent, "width": self.width}
        return arrays, state

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Self:
        """Return the generator that `to_state` described, on the CPU."""

        def part(name: str) -> dict[str, np.ndarray]:
            return {key.removeprefix(name): values for key, values in arrays.items() if key.startswith(name)}

        codec = Codec.from_state(part("codec."), state["codec"])
        condition = Condition.from_state(part("condition."), state["condition"])
        network, _ = make_networks(codec, condition.width, latent=state["latent"], width=state["width"], seed=0)
        network.load_state_dict({name: torch.as_tensor(values) for name, values in part("network.").items()})
        return cls(network, codec, condition, state["latent"], state["width"])

    def on_cpu(self) -> Self:
        """Return a copy whose network is on the CPU."""
        return replace(self, network=copy.deepcopy(self.network).cpu())


def _array(values: torch.Tensor) -> np.ndarray:
    """Return a tensor as an array on the CPU, in the layout of rows."""
    return np.ascontiguousarray(values.detach().cpu().numpy())
