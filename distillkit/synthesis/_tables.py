"""Generator and discriminator for tables."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._layers import ConditionalBatchNorm, ProjectionHead, normed

__all__ = ["TableDiscriminator", "TableGenerator"]


class Snap(nn.Module):
    """Moves values to the levels and one-hot codes that the training rows have; gradients pass as if it had not.

    The discriminator would otherwise tell made rows from real ones by values between two levels, and teach nothing else. A block
    takes the highest of its numbers; its gradient is that of their softmax.

    Parameters
    ----------
    codec : Codec
        Of a table.
    """

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        assert codec.columns is not None
        shift, scale = (
            np.broadcast_to(codec.shift, codec.low.shape)[0],
            np.broadcast_to(codec.scale, codec.low.shape)[0],
        )
        loose = codec.columns.loose
        longest = max(map(len, loose.values()), default=1)
        levels = np.full((len(loose), longest), np.inf)
        for row, (column, values) in enumerate(loose.items()):
            levels[row, : len(values)] = (values - shift[column]) / scale[column]
        self.levels: torch.Tensor
        self.columns: torch.Tensor
        self.register_buffer("levels", torch.as_tensor(levels, dtype=torch.float32))
        self.register_buffer("columns", torch.as_tensor(list(loose), dtype=torch.int64))
        self.blocks = [(int(block[0]), int(block[-1]) + 1) for block in codec.columns.blocks]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map rows (b, d) to rows (b, d)."""
        snapped = x.clone() if self.blocks or len(self.columns) else x
        if len(self.columns):
            loose = x[:, self.columns]
            nearest = (loose.detach().unsqueeze(2) - self.levels).abs().argmin(dim=2)
            values = self.levels.expand(len(x), -1, -1).gather(2, nearest.unsqueeze(2)).squeeze(2)
            snapped[:, self.columns] = loose + (values - loose).detach()
        for start, stop in self.blocks:
            soft = torch.softmax(x[:, start:stop], dim=1)
            hard = nn.functional.one_hot(soft.argmax(dim=1), stop - start)
            snapped[:, start:stop] = 2 * (soft + (hard - soft).detach()) - 1
        return snapped


class TableGenerator(nn.Module):
    """Noise and condition -> two hidden layers with conditional batch norm -> columns, snapped to what they can hold.

    Parameters
    ----------
    codec : Codec
        Of the table.
    n_conditions : int
    latent : int
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
        """Map noise (b, latent) and weights (b, n_conditions) to rows (b, d)."""
        h = torch.cat([noise, self.embedding(condition)], dim=1)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            h = torch.relu(norm(layer(h), condition))
        rows: torch.Tensor = self.snap(self.last(h).float())
        return rows


class TableDiscriminator(nn.Module):
    """Two hidden layers with spectral norm and a projection head.

    Parameters
    ----------
    n_columns, n_conditions : int
    width : int
        Hidden layers have four times as many units.
    """

    def __init__(self, n_columns: int, n_conditions: int, *, width: int = 32) -> None:
        super().__init__()
        hidden = 4 * width
        self.body = nn.Sequential(
            normed(nn.Linear(n_columns, hidden)),
            nn.LeakyReLU(0.2),
            normed(nn.Linear(hidden, hidden)),
            nn.LeakyReLU(0.2),
        )
        self.head = ProjectionHead(hidden, n_conditions)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Map rows and weights (b, n_conditions) to scores (b,)."""
        scores: torch.Tensor = self.head(self.body(x).float(), condition)
        return scores
