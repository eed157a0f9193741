"""Differentiable Siamese augmentation, equal random changes of real and of synthetic images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

from distillkit.exceptions import DataError

__all__ = ["Augmentation", "Draw"]

STRATEGIES = ("color", "brightness", "saturation", "contrast", "crop", "cutout", "flip", "scale", "rotate")
"""Names of the random changes that `Augmentation` knows."""
_SIAMESE = ("color", "crop", "cutout", "flip", "scale", "rotate")


@dataclass(frozen=True)
class Draw:
    """One random change of a batch: a strategy and its random numbers.

    Parameters
    ----------
    strategy : str
        Name of the change.
    numbers : tensor of shape (n, 3) or (1, 3)
        Uniform random numbers in [0, 1) for each row, or one set of them that all rows share.
    """

    strategy: str
    numbers: torch.Tensor


class Augmentation:
    """Draws and applies random changes to images of shape (n, channels, height, width).

    Each draw selects one strategy for the whole batch (the "single" mode of the reference). Its
    random numbers differ between rows, or are shared by all rows (Siamese augmentation), so that
    two batches of different sizes can be changed in the same way. Gradients flow through the
    changes.

    Parameters
    ----------
    strategies : sequence of str
        Changes to select from: "color" (brightness, saturation and contrast, one after another),
        "brightness", "saturation", "contrast", "crop", "cutout", "flip", "scale" and "rotate".
    crop : float, default=0.125
        Largest shift of "crop", as a share of the side of the image.
    cutout : float, default=0.5
        Side of the hole of "cutout", as a share of the side of the image.
    scale : float, default=1.2
        Largest factor of "scale", at least 1; the smallest is ``1 / scale``.
    rotate : float, default=15
        Largest angle of "rotate", in degrees.
    brightness : float, default=1
        Range of "brightness", which adds a value in ``[-brightness / 2, brightness / 2)``.
    saturation : float, default=2
        Largest factor of "saturation", which scales the distances of the channels from their mean
        by a factor in ``[0, saturation)``.
    contrast : float, default=0.5
        Smallest factor of "contrast", which scales the distances of the pixels from the mean of the
        image by a factor in ``[contrast, 1 + contrast)``.

    Raises
    ------
    DataError
        If a strategy is not known, or if there is none.

    References
    ----------
    Zhao and Bilen, "Dataset condensation with differentiable Siamese augmentation", ICML 2021.
    """

    def __init__(
        self,
        strategies: Sequence[str],
        *,
        crop: float = 0.125,
        cutout: float = 0.5,
        scale: float = 1.2,
        rotate: float = 15.0,
        brightness: float = 1.0,
        saturation: float = 2.0,
        contrast: float = 0.5,
    ) -> None:
        self.strategies = tuple(strategies)
        if not self.strategies:
            raise DataError(f"augment names no change: give some of {', '.join(STRATEGIES)}, or None for none.")
        for name in self.strategies:
            if name not in STRATEGIES:
                raise DataError(f"augment={name!r} is not known: give some of {', '.join(STRATEGIES)}.")
        self.crop, self.cutout, self.scale, self.rotate = crop, cutout, scale, rotate
        self.brightness, self.saturation, self.contrast = brightness, saturation, contrast

    @classmethod
    def for_images(cls, channels: int, *, flip: bool | None = None) -> Augmentation:
        """Create the augmentation that is common in the literature on dataset condensation.

        It consists of color, crop, cutout, flip, scale and rotation. Gray-scale images are not
        flipped by default, because they are often digits, which must not be mirrored.

        Parameters
        ----------
        channels : int
            Number of channels of the images.
        flip : bool or None, default=None
            Whether to flip images; None flips images of more than one channel.

        Returns
        -------
        Augmentation
        """
        flip = channels > 1 if flip is None else flip
        return cls([name for name in _SIAMESE if flip or name != "flip"])

    @classmethod
    def of(cls, setting: Any, shape: tuple[int, ...]) -> Augmentation | None:
        """Resolve the parameter ``augment`` of an estimator.

        Parameters
        ----------
        setting : None, "auto" or sequence of str
            None means no augmentation. "auto" is that of `for_images` for images, and none for
            other rows. A sequence names the strategies.
        shape : tuple of int
            Shape of one row.

        Returns
        -------
        Augmentation or None

        Raises
        ------
        DataError
            If strategies are named, but rows of this shape are not images.
        """
        if setting is None or (isinstance(setting, str) and len(shape) != 3):
            return None
        if len(shape) != 3:
            raise DataError(
                f"augment={setting!r} is for images (n, channels, height, width): "
                f"leave it out for rows of shape {shape}."
            )
        return cls.for_images(shape[0]) if isinstance(setting, str) else cls(tuple(setting))

    def draw(self, n_rows: int, generator: torch.Generator, *, shared: bool = False) -> Draw:
        """Draw a random change.

        Parameters
        ----------
        n_rows : int
            Number of rows to draw numbers for.
        generator : Generator
        shared : bool, default=False
            Whether to draw one set of numbers, which can be applied to any number of rows.

        Returns
        -------
        Draw
        """
        choice = int(torch.randint(len(self.strategies), (1,), generator=generator, device=generator.device))
        numbers = torch.rand(1 if shared else n_rows, 3, generator=generator, device=generator.device)
        return Draw(self.strategies[choice], numbers)

    def __call__(self, x: torch.Tensor, draw: Draw) -> torch.Tensor:
        """Apply a random change to images; it is differentiable in the images.

        Parameters
        ----------
        x : tensor of shape (n, channels, height, width)
        draw : Draw

        Returns
        -------
        tensor of the shape of `x`

        Raises
        ------
        DataError
            If the change was drawn for another number of rows and is not shared.
        """
        if len(draw.numbers) not in (1, len(x)):
            raise DataError(
                f"this change was drawn for {len(draw.numbers)} rows, not {len(x)}: draw it with shared=True."
            )
        numbers = draw.numbers.to(x).expand(len(x), -1)
        change = getattr(self, f"_{draw.strategy}")
        return change(x, numbers)  # type: ignore[no-any-return]

    # Each strategy is a method that takes the images and their random numbers `u` of shape (n, 3).

    def _color(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        x = self._brightness(x, u[:, 0:])
        return self._contrast(self._saturation(x, u[:, 1:]), u[:, 2:])

    def _brightness(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        return x + ((u[:, 0] - 0.5) * self.brightness).view(-1, 1, 1, 1)

    def _saturation(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        mean = x.mean(dim=1, keepdim=True)
        return (x - mean) * (u[:, 0] * self.saturation).view(-1, 1, 1, 1) + mean

    def _contrast(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        return (x - mean) * (u[:, 0] + self.contrast).view(-1, 1, 1, 1) + mean

    def _crop(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """Shift images by whole pixels, and fill the uncovered border with zeros."""
        # 1. Draw the shift of each row, from -reach to reach pixels.
        height, width = x.shape[-2:]
        reach = torch.tensor([int(height * self.crop + 0.5), int(width * self.crop + 0.5)], device=x.device)
        shift = (u[:, :2] * (2 * reach + 1)).long() - reach
        # 2. Gather the shifted pixels, and set those from outside of the image to zero.
        rows = torch.arange(height, device=x.device).view(1, -1, 1) + shift[:, 0].view(-1, 1, 1)
        columns = torch.arange(width, device=x.device).view(1, 1, -1) + shift[:, 1].view(-1, 1, 1)
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        batch = torch.arange(len(x), device=x.device).view(-1, 1, 1)
        shifted = x.permute(0, 2, 3, 1)[batch, rows.clamp(0, height - 1), columns.clamp(0, width - 1)]
        return shifted.permute(0, 3, 1, 2) * inside.unsqueeze(1).to(x)

    def _cutout(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """Set a rectangle around a random center to zero."""
        height, width = x.shape[-2:]
        center = u[:, :2] * torch.tensor([height, width], device=x.device, dtype=x.dtype)
        half = torch.tensor([height, width], device=x.device, dtype=x.dtype) * self.cutout / 2
        rows = (torch.arange(height, device=x.device).view(1, -1) - center[:, :1]).abs() < half[0]
        columns = (torch.arange(width, device=x.device).view(1, -1) - center[:, 1:]).abs() < half[1]
        hole = rows.unsqueeze(2) & columns.unsqueeze(1)
        return x * (~hole).unsqueeze(1).to(x)

    def _flip(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        return torch.where((u[:, 0] < 0.5).view(-1, 1, 1, 1), x.flip(-1), x)

    def _scale(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        return self._stretch(x, u[:, :2] * (self.scale - 1 / self.scale) + 1 / self.scale)

    def _stretch(self, x: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        """Scale the sampling grid of the two image axes by these factors (n, 2)."""
        zero = torch.zeros_like(factors[:, 0])
        return _warp(x, torch.stack([factors[:, 0], zero, zero, zero, factors[:, 1], zero], dim=1))

    def _rotate(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        angle = (u[:, 0] - 0.5) * 2 * self.rotate * torch.pi / 180
        zero = torch.zeros_like(angle)
        return _warp(x, torch.stack([angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero], dim=1))


def _warp(x: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Sample images at affinely transformed positions, given by matrices (n, 6)."""
    grid = F.affine_grid(matrix.view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)
