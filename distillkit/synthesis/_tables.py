"""The generator and discriminator for tables, with fully connected layers."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._layers import ConditionalBatchNorm, ProjectionHead, spectrally_normalized

__all__ = ["TableDiscriminator", "TableGenerator"]


class Snap(nn.Module):
    """A layer that rounds to the levels and one-hot codes of the training rows (straight-through).

    Without it, the discriminator would recognize generated rows by values between two levels alone,
    and the generator would learn nothing else. Columns of few levels take the nearest level, with
    the gradient of the identity. A one-hot block has its 1 at its largest value, with the gradient
    of the softmax of its values.

    Parameters
    ----------
    codec : Codec
        Codec of the table.
    """

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        assert codec.columns is not None
        shift, scale = (
            np.broadcast_to(codec.shift, codec.low.shape)[0],
            np.broadcast_to(codec.scale, codec.low.shape)[0],
        )
        # The levels of all columns in one array, padded with infinity, which is never the nearest.
        free_levels = codec.columns.free_levels
        most_levels = max(map(len, free_levels.values()), default=1)
        levels = np.full((len(free_levels), most_levels), np.inf)
        for row, (column, values) in enumerate(free_levels.items()):
            levels[row, : len(values)] = (values - shift[column]) / scale[column]
        self.levels: torch.Tensor
        self.columns: torch.Tensor
        self.register_buffer("levels", torch.as_tensor(levels, dtype=torch.float32))
        self.register_buffer("columns", torch.as_tensor(list(free_levels), dtype=torch.int64))
        self.blocks = [(int(block[0]), int(block[-1]) + 1) for block in codec.columns.blocks]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Round rows (b, d) to the values that their columns can hold."""
        snapped = x.clone() if self.blocks or len(self.columns) else x
        if len(self.columns):
            # 1. Move each value to the nearest level of its column.
            raw = x[:, self.columns]
            nearest = (raw.detach().unsqueeze(2) - self.levels).abs().argmin(dim=2)
            values = self.levels.expand(len(x), -1, -1).gather(2, nearest.unsqueeze(2)).squeeze(2)
            snapped[:, self.columns] = raw + (values - raw).detach()
        # 2. Turn each block into a one-hot code, scaled to -1 and 1.
        for start, stop in self.blocks:
            soft = torch.softmax(x[:, start:stop], dim=1)
            hard = nn.functional.one_hot(soft.argmax(dim=1), stop - start)
            snapped[:, start:stop] = 2 * (soft + (hard - soft).detach()) - 1
        return snapped


class TableGenerator(nn.Module):
    """A generator of table rows: two hidden layers with conditional batch norm, and a `Snap` layer.

    Parameters
    ----------
    codec : Codec
        Codec of the table.
    n_conditions : int
        Number of embeddings of the condition.
    latent : int
        Size of the noise vector.
    width : int
        Hidden layers have four times as many units.
    """

    def __init__(self, codec: Codec, n_conditions: int, *, latent: int = 64, width: int = 32) -> None:
        super().__init__()
        hidden = 4 * width
        self.embedding = nn.Linear(n_conditions, 16, bias=False)
        self.layers = nn.ModuleList([nn.Linear(latent + 16, hidden), nn.Linear(hidden, hidden)])
        self.norms = nn.ModuleList(ConditionalBatchNorm(hidden, n_conditions) for _ in range(2))
        self.last = nn.Linear(hidden, codec.network_shape[0])
        self.snap = Snap(codec)

    def forward(self, noise: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map noise (b, latent) and embedding weights (b, n_conditions) to rows (b, d)."""
        h = torch.cat([noise, self.embedding(condition)], dim=1)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            h = torch.relu(norm(layer(h), condition))
        rows: torch.Tensor = self.snap(self.last(h).float())
        return rows


class TableDiscriminator(nn.Module):
    """A discriminator of table rows: two hidden layers with spectral norm, and a projection head.

    Parameters
    ----------
    n_columns : int
    n_conditions : int
        Number of embeddings of the condition.
    width : int
        Hidden layers have four times as many units.
    """

    def __init__(self, n_columns: int, n_conditions: int, *, width: int = 32) -> None:
        super().__init__()
        hidden = 4 * width
        self.body = nn.Sequential(
            spectrally_normalized(nn.Linear(n_columns, hidden)),
            nn.LeakyReLU(0.2),
            spectrally_normalized(nn.Linear(hidden, hidden)),
            nn.LeakyReLU(0.2),
        )
        self.head = ProjectionHead(hidden, n_conditions)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map rows and embedding weights (b, n_conditions) to scores (b,)."""
        scores: torch.Tensor = self.head(self.body(x).float(), condition)
        return scores
