"""Construction of the generator and the discriminator for images, series or tables."""

from __future__ import annotations

from typing import cast

from torch import nn

from distillkit.nn import DrawsFrom, make_generator
from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._images import ImageDiscriminator, ImageGenerator
from distillkit.synthesis._series import SeriesDiscriminator, SeriesGenerator
from distillkit.synthesis._tables import TableDiscriminator, TableGenerator

__all__ = ["make_networks"]


def make_networks(
    codec: Codec, n_conditions: int, *, latent: int, width: int, seed: int
) -> tuple[nn.Module, nn.Module]:
    """Return a generator and a discriminator for rows encoded by `codec`.

    Parameters
    ----------
    codec : Codec
    n_conditions : int
        Number of embeddings of the condition.
    latent : int
        Size of the noise vector.
    width : int
        Channels of the widest feature maps; tables have four times as many hidden units.
    seed : int
        Seeds the first weights.
    """
    with DrawsFrom(make_generator(seed)):
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
