"""Multilayer perceptron (MLP), a network for tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import nn

__all__ = ["Mlp"]


class Mlp(nn.Module):
    """Multilayer perceptron: linear layers with ReLU between them, for flattened rows.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row.
    n_outputs : int
        Number of outputs for a row.
    hidden : sequence of int, default=(128, 128)
        Widths of the hidden layers; an empty sequence gives a linear model.
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
        """Map rows to the features of the last hidden layer."""
        return self.features(x)  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map rows to (n, n_outputs)."""
        return self.head(self.embed(x))  # type: ignore[no-any-return]
