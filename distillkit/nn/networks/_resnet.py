"""ResNet-18 for small images, built from the blocks of torchvision."""

from __future__ import annotations

import torch
from torch import nn

from distillkit.exceptions import DataError

__all__ = ["ResNet18"]


def _instance_norm(width: int) -> nn.Module:
    """Create a normalization layer.

    It is a named function because torchvision stores it in the network, which must be picklable.
    """
    return nn.GroupNorm(width, width)


class ResNet18(nn.Module):
    """ResNet-18 of torchvision, adapted to images of 9 to 64 pixels.

    The first convolution is 3x3 with stride 1, the first pooling is left out, and the default is
    instance normalization.

    Parameters
    ----------
    shape : tuple (channels, height, width)
        Shape of an image.
    n_outputs : int
        Number of outputs for an image.
    norm : {"instance", "batch"}, default="instance"
        Kind of normalization. The literature uses instance normalization: networks with batch
        normalization perform poorly on data that was condensed with instance normalization.

    Raises
    ------
    DataError
        If `norm` is not known, or if the images are so small that the last layers see a single
        pixel, which instance normalization turns into zero.

    References
    ----------
    He et al., "Deep residual learning for image recognition", CVPR 2016.
    """

    def __init__(self, shape: tuple[int, int, int], n_outputs: int, *, norm: str = "instance") -> None:
        super().__init__()
        from torchvision.models import resnet18

        if norm not in ("instance", "batch"):
            raise DataError(f"norm={norm!r} does not go with 'resnet18': give 'instance' or 'batch'.")
        if norm == "instance" and max(shape[1:]) <= 8:
            raise DataError(
                f"images of {shape[1]}x{shape[2]} are too small for ResNet-18 with instance norm, "
                "whose last layers would see one pixel and learn nothing: "
                "give larger images, norm='batch', or 'convnet'."
            )
        layer = _instance_norm if norm == "instance" else nn.BatchNorm2d
        network = resnet18(weights=None, num_classes=n_outputs, norm_layer=layer)
        network.conv1 = nn.Conv2d(shape[0], 64, 3, padding=1, bias=False)
        network.maxpool = nn.Identity()
        self.head, network.fc = network.fc, nn.Identity()
        self.body = network

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Map images to the 512 pooled features."""
        return self.body(x)  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images to (n, n_outputs)."""
        return self.head(self.embed(x))  # type: ignore[no-any-return]
