"""ConvNet, the standard convolutional network of dataset condensation, for images and series."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn

from distillkit.exceptions import DataError
from distillkit.nn.networks._conv_block import ConvBlock

__all__ = ["ConvNet", "ConvNet1d"]

_NORMS = ("instance", "batch", "none")


def _norm(kind: str, width: int, axes: int) -> list[nn.Module]:
    """Create the normalization layer for data with one or two axes besides the channels, if any."""
    if kind == "instance":
        return [nn.GroupNorm(width, width, affine=True)]
    if kind == "batch":
        return [nn.BatchNorm2d(width) if axes == 2 else nn.BatchNorm1d(width)]
    if kind == "none":
        return []
    raise DataError(f"norm={kind!r} is not known: give one of {', '.join(_NORMS)}.")


class ConvNet(nn.Module):
    """Convolutional network for images, the standard network of dataset condensation.

    It consists of `depth` blocks of a 3x3 convolution, normalization, ReLU and 2x2 average pooling,
    and of a linear layer.

    Parameters
    ----------
    shape : tuple (channels, height, width)
        Shape of an image.
    n_outputs : int
        Number of outputs for an image.
    width : int, default=128
        Number of channels of the first block.
    depth : int, default=3
        Number of blocks, each of which halves height and width.
    growth : int, default=1
        Factor by which the number of channels grows from block to block. The usual network of the
        literature has 1, and that of FRePo has 2.
    norm : {"instance", "batch", "none"}, default="instance"
        Kind of normalization.
    pad : bool, default=True
        Whether the first layer pads 28x28 images to 32x32, as is common in the literature.

    Raises
    ------
    DataError
        If the images are too small for `depth` poolings, or if `norm` is not known.

    References
    ----------
    Gidaris and Komodakis, "Dynamic few-shot visual learning without forgetting", CVPR 2018; the
    standard network of Zhao et al., "Dataset condensation with gradient matching", ICLR 2021.
    """

    rows_apart: ClassVar[bool] = True
    """Rows pass through independently of each other, so threads may divide a batch."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        n_outputs: int,
        *,
        width: int = 128,
        depth: int = 3,
        growth: int = 1,
        norm: str = "instance",
        pad: bool = True,
    ) -> None:
        super().__init__()
        channels, height, image_width = shape
        padded_by = 4 if pad and (height, image_width) == (28, 28) else 0
        if min(height, image_width) + padded_by < 2**depth:
            raise DataError(
                f"images of {height}x{image_width} are too small for {depth} poolings, "
                f"which need {2**depth}x{2**depth}: "
                f"give depth={max(1, (min(height, image_width)).bit_length() - 1)} or less, or larger images."
            )
        blocks: list[nn.Module] = []
        widths = [channels, *(width * growth**index for index in range(depth))]
        for index, (before, after) in enumerate(pairwise(widths)):
            layers = _norm(norm, after, 2) or [nn.Identity()]
            blocks.append(ConvBlock(before, after, *layers, padding=3 if index == 0 and padded_by else 1))
        self.features = nn.Sequential(*blocks)
        n_positions = ((height + padded_by) // 2**depth) * ((image_width + padded_by) // 2**depth)
        self.head = nn.Linear(widths[-1] * n_positions, n_outputs)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, channels, height, width) to the flattened features of the last block."""
        return self.features(x).flatten(1)  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, channels, height, width) to (n, n_outputs)."""
        return self.head(self.embed(x))  # type: ignore[no-any-return]


class ConvNet1d(nn.Module):
    """Convolutional network for time series, the counterpart of `ConvNet`.

    It consists of `depth` blocks of a convolution over 7 steps, normalization, ReLU and average
    pooling by 2, and of a linear layer.

    Parameters
    ----------
    shape : tuple (channels, time)
        Shape of a series.
    n_outputs : int
        Number of outputs for a series.
    width : int, default=64
        Number of channels of the first block.
    depth : int or None, default=None
        Number of blocks, each of which halves the length; None means 3, or fewer if the series are
        too short.
    growth : int, default=1
        Factor by which the number of channels grows from block to block.
    norm : {"instance", "batch", "none"}, default="instance"
        Kind of normalization.

    Raises
    ------
    DataError
        If the series are too short for `depth` poolings, or if `norm` is not known.
    """

    rows_apart: ClassVar[bool] = True
    """Rows pass through independently of each other, so threads may divide a batch."""

    def __init__(
        self,
        shape: tuple[int, int],
        n_outputs: int,
        *,
        width: int = 64,
        depth: int | None = None,
        growth: int = 1,
        norm: str = "instance",
    ) -> None:
        super().__init__()
        channels, length = shape
        if depth is None:
            depth = max(1, min(3, length.bit_length() - 2))
        if length < 2**depth:
            raise DataError(
                f"series of {length} steps are too short for {depth} poolings, which need {2**depth}: "
                "give a smaller depth."
            )
        blocks: list[nn.Module] = []
        widths = [channels, *(width * growth**index for index in range(depth))]
        for before, after in pairwise(widths):
            blocks += [
                nn.Conv1d(before, after, 7, padding=3),
                *_norm(norm, after, 1),
                nn.ReLU(),
                nn.AvgPool1d(2),
            ]
        self.features = nn.Sequential(*blocks)
        self.head = nn.Linear(widths[-1] * (length // 2**depth), n_outputs)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, channels, time) to the flattened features of the last block."""
        return self.features(x).flatten(1)  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, channels, time) to (n, n_outputs)."""
        return self.head(self.embed(x))  # type: ignore[no-any-return]
