"""Data augmentation for training on images, with a different random change for each row."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from distillkit.nn.augmentation._augment import Augmentation, Draw

__all__ = ["RowAugmentation", "training_augmentation"]


class RowAugmentation(Augmentation):
    """Draws a strategy for each row, and fills uncovered borders with the mean of the batch.

    The literature on gradient matching trains networks on condensed digits in this way. By
    contrast, `Augmentation` applies one strategy to a whole batch, as is needed to match real and
    synthetic rows under the same change.

    Parameters
    ----------
    strategies : sequence of str
        Changes to select from, see `Augmentation`.
    crop : float, default=1/7
        Largest shift, as a share of the side of the image (4 of 28 pixels).
    scale : float, default=0.2
        Height and width are scaled by independent factors between ``1 - scale`` and ``1 + scale``.
    rotate : float, default=45
        Largest angle, in degrees.

    References
    ----------
    Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021; the sizes of
    the changes are those of its code.
    """

    def __init__(
        self, strategies: Sequence[str], *, crop: float = 1 / 7, scale: float = 0.2, rotate: float = 45.0
    ) -> None:
        super().__init__(strategies, crop=crop, scale=scale, rotate=rotate)

    def draw(self, n_rows: int, generator: torch.Generator, *, shared: bool = False) -> Draw:
        """Draw a random change for each row.

        The last of the four numbers of a row selects its strategy.

        Parameters
        ----------
        n_rows : int
        generator : Generator
        shared : bool, default=False
            Whether to draw a single change, which can be applied to any number of rows.

        Returns
        -------
        Draw
        """
        numbers = torch.rand(1 if shared else n_rows, 4, generator=generator, device=generator.device)
        return Draw("each", numbers)

    def _each(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """Apply to each row the strategy that its last random number selects."""
        # The changes fill borders with zeros, so subtract the mean before and add it afterwards.
        mean = x.mean()
        x = x - mean
        selected = (u[:, 3] * len(self.strategies)).long()
        changed = torch.zeros_like(x)
        for index, name in enumerate(self.strategies):
            rows = torch.nonzero(selected == index).squeeze(1)
            if len(rows):
                changed = changed.index_copy(0, rows, getattr(self, f"_{name}")(x[rows], u[rows]))
        return changed + mean

    def _scale(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        factors = 1 + self.scale * (2 * u[:, :2] - 1)
        return self._stretch(x, 1 / factors)


def training_augmentation(channels: int) -> Augmentation:
    """Create the augmentation with which the literature trains networks on condensed images.

    Gray-scale images get a crop, a scaling or a rotation, drawn for each row, as in the reference
    code for MNIST. Color images get `Augmentation.for_images`, with which they are also condensed.

    Parameters
    ----------
    channels : int
        Number of channels of the images.

    Returns
    -------
    Augmentation
    """
    return RowAugmentation(("crop", "scale", "rotate")) if channels == 1 else Augmentation.for_images(channels)
