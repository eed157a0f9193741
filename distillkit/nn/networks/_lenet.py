"""LeNet, a classic small convolutional network."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from distillkit.exceptions import DataError

__all__ = ["LeNet"]


class LeNet(nn.Module):
    """LeNet-5 with ReLU and max pooling, as the condensation literature uses it.

    Parameters
    ----------
    shape : tuple (channels, height, width)
        Shape of an image, of at least 12x12 pixels.
    n_outputs : int
        Number of outputs for an image.

    Raises
    ------
    DataError
        If the images are smaller than 12x12.

    References
    ----------
    LeCun et al., "Gradient-based learning applied to document recognition", Proceedings of the
    IEEE, 1998.
    """

    rows_apart: ClassVar[bool] = True
    """Rows pass through independently of each other, so threads may divide a batch."""

    def __init__(self, shape: tuple[int, int, int], n_outputs: int) -> None:
        super().__init__()
        channels, height, width = shape
        if min(height, width) < 12:
            raise DataError(
                f"images of {height}x{width} are too small for LeNet, which needs 12x12: use 'convnet' or 'mlp'."
            )
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        sides = [((size // 2) - 4) // 2 for size in (height, width)]
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(16 * sides[0] * sides[1], 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()
        )
        self.head = nn.Linear(84, n_outputs)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Map images to the 84 features before the last layer."""
        return self.body(self.features(x))  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images to (n, n_outputs)."""
        return self.head(self.embed(x))  # type: ignore[no-any-return]
