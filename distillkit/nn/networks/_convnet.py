"""The convolutional networks of the field: blocks of convolution, norm, ReLU and pooling."""

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
    if kind == "instance":
        return [nn.GroupNorm(width, width, affine=True)]
    if kind == "batch":
        return [nn.BatchNorm2d(width) if axes == 2 else nn.BatchNorm1d(width)]
    if kind == "none":
        return []
    raise DataError(f"norm={kind!r} is not known: give one of {', '.join(_NORMS)}.")


class ConvNet(nn.Module):
    """The literature's ConvNet: `depth` blocks of 3x3 convolution, instance norm, ReLU, 2x2 average pooling, then a linear head.

    Parameters
    ----------
    shape : tuple (channels, height, width)
        28x28 images are padded by 3 to 32x32 in the first layer, as in the literature.
    n_outputs : int
    width : int, default=128
        Channels of the first block.
    depth : int, default=3
        Blocks, each of which halves height and width.
    growth : int, default=1
        Each block has so many times the channels of the one before; 1 is the literature's usual network, 2 that of FRePo.
    norm : {"instance", "batch", "none"}, default="instance"
    pad : bool, default=True
        Whether 28x28 is padded to 32x32.

    Raises
    ------
    DataError
        If the images are too small for `depth` poolings.

    References
    ----------
    Gidaris and Komodakis, "Dynamic few-shot visual learning without forgetting", CVPR 2018; the standard network
    of Zhao et al., "Dataset condensation with gradient matching", ICLR 2021.
    """

    rows_apart: ClassVar[bool] = True
    """Rows may go through in any order, in several threads."""

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
        channels, height, breadth = shape
        grown = 4 if pad and (height, breadth) == (28, 28) else 0
        if min(height, breadth) + grown < 2**depth:
            raise DataError(
                f"images of {height}x{breadth} are too small for {depth} poolings, which need {2**depth}x{2**depth}: "
                f"give depth={max(1, (min(height, breadth)).bit_length() - 1)} or less, or larger images."
            )
        blocks: list[nn.Module] = []
        widths = [channels, *(width * growth**index for index in range(depth))]
        for index, (before, after) in enumerate(pairwise(widths)):
            layers = _norm(norm, after, 2) or [nn.Identity()]
            blocks.append(ConvBlock(before, after, *layers, padding=3 if index == 0 and grown else 1))
        self.features = nn.Sequential(*blocks)
        last = ((height + grown) // 2**depth) * ((breadth + grown) // 2**depth)
        self.head = nn.Linear(widths[-1] * last, n_outputs)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, channels, height, width) to flattened features of the last block."""
        return self.features(x).flatten(1)  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, channels, height, width) to (n, n_outputs)."""
        return self.head(self.embed(x))  # type: ignore[no-any-return]


class ConvNet1d(nn.Module):
    """The same for series: `depth` blocks of convolution over 7 steps, norm, ReLU, pooling by 2, then a linear head.

    Parameters
    ----------
    shape : tuple (channels, time)
    n_outputs : int
    width : int, default=64
    depth : int or None, default=None
        None takes 3, or as many as the length allows.
    growth : int, default=1
        As for `ConvNet`.
    norm : {"instance", "batch", "none"}, default="instance"

    Raises
    ------
    DataError
        If the series are too short for `depth` poolings.
    """

    rows_apart: ClassVar[bool] = True
    """Rows may go through in any order, in several threads."""

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
                f"series of {length} steps are too short for {depth} poolings, which need {2**depth}: give a smaller depth."
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
        """Map (n, channels, time) to flattened features of the last block."""
        return self.features(x).flatten(1)  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, channels, time) to (n, n_outputs)."""
        return self.head(self.embed(x))  # type: ignore[no-any-return]
