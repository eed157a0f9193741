"""Generator and discriminator for a kind of rows."""

from __future__ import annotations

from typing import cast

from torch import nn

from distillkit.nn import seeded
from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._images import ImageDiscriminator, ImageGenerator
from distillkit.synthesis._series import SeriesDiscriminator, SeriesGenerator
from distillkit.synthesis._tables import TableDiscriminator, TableGenerator

__all__ = ["make_networks"]


def make_networks(
    codec: Codec, n_conditions: int, *, latent: int, width: int, seed: int
) -> tuple[nn.Module, nn.Module]:
    """Return a generator and a discriminator for rows as `codec` encodes them, with weights drawn from a seed."""
    with seeded(seed):
        shape = codec.network_shape
        if codec.kind == "image":
            image = cast("tuple[int, int, int]", shape)
            return (
                ImageGenerator(image, n_conditions, latent=latent, width=width),
                ImageDiscriminator(image, n_conditions, width=width),
            )
        if codec.kind == "series":
            series = cast("tuple[int, int]", shape)
            return (
                SeriesGenerator(series, n_conditions, latent=latent, width=width),
                SeriesDiscriminator(series, n_conditions, width=width),
            )
        return (
            TableGenerator(codec, n_conditions, latent=latent, width=width),
            TableDiscriminator(shape[0], n_conditions, width=width),
        )
