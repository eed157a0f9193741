"""Random changes of images for training: each row gets one of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from distillkit.nn.augmentation._augment import Augmentation, Draw

__all__ = ["RowAugmentation", "training_augmentation"]


class RowAugmentation(Augmentation):
    """Draws one of the strategies for each row, and fills what comes in from outside with the mean of the batch.

    That is how the literature trains networks on distilled digits (condensation with gradient matching), where `Augmentation`
    changes a whole batch in one way, as matching under the same change of real and synthetic rows needs it.

    Parameters
    ----------
    strategies : sequence of str
        See `Augmentation`.
    crop : float, default=1/7
        Largest shift, as a share of the side: 4 of 28 pixels.
    scale : float, default=0.2
        Sides are scaled by a factor between ``1 - scale`` and ``1 + scale``, height and width each by their own.
    rotate : float, default=45
        Largest angle in degrees.

    References
    ----------
    Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021; sizes of the changes from its code.
    """

    def __init__(
        self, strategies: Sequence[str], *, crop: float = 1 / 7, scale: float = 0.2, rotate: float = 45.0
    ) -> None:
        super().__init__(strategies, crop=crop, scale=scale, rotate=rotate)

    def draw(self, n_rows: int, generator: torch.Generator, *, shared: bool = False) -> Draw:
        """Draw a change for each of `n_rows` rows.

        The last of a row's numbers says which strategy it gets. `shared` draws one change for any number of rows.
        """
        numbers = torch.rand(1 if shared else n_rows, 4, generator=generator, device=generator.device)
        return Draw("each", numbers)

    def _each(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        mean = x.mean()
        x = x - mean  # changes bring in zeros from outside
        chosen = (u[:, 3] * len(self.strategies)).long()
        changed = torch.zeros_like(x)
        for place, name in enumerate(self.strategies):
            rows = torch.nonzero(chosen == place).squeeze(1)
            if len(rows):
                changed = changed.index_copy(0, rows, getattr(self, f"_{name}")(x[rows], u[rows]))
        return changed + mean

    def _scale(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        factors = 1 + self.scale * (2 * u[:, :2] - 1)
        return self._stretch(x, 1 / factors)


def training_augmentation(channels: int) -> Augmentation:
    """Return what the literature trains on distilled images with.

    Grey images: crop, scale or rotation, one per row, as in its code for MNIST. Colour: what it also distils with,
    `Augmentation.for_images`.
    """
    return RowAugmentation(("crop", "scale", "rotate")) if channels == 1 else Augmentation.for_images(channels)
