"""The multilayer perceptron, for tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import nn

__all__ = ["Mlp"]


class Mlp(nn.Module):
    """Linear layers with ReLU between them; rows of any shape are flattened.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row.
    n_outputs : int
    hidden : sequence of int, default=(128, 128)
        An empty sequence makes it a linear model.
    """

    def __init__(self, shape: tuple[int, ...], n_outputs: int, *, hidden: Sequence[int] = (128, 128)) -> None:
        super().__init__()
        sizes = [prod(shape), *hidden]
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(sizes[-1], n_outputs)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Map rows to the last hidden layer."""
        return self.features(x)  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map rows to (n, n_outputs)."""
        return self.head(self.embed(x))  # type: ignore[no-any-return]
