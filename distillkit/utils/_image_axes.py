"""Notices images whose channels come last, which networks would take for rows of many channels."""

from __future__ import annotations

import warnings

from distillkit.exceptions import DataError, DistillkitWarning

__all__ = ["check_image_axes"]

_CHANNELS = (1, 3, 4)
"""Numbers of channels of gray, colour, and colour images with transparency."""
_SMALLEST_SIDE = 5


def check_image_axes(shape: tuple[int, ...], where: str = "X", error: type[Exception] = DataError) -> None:
    """Refuse the shape (height, width, channels) of an image, or warn where it leaves a doubt.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row. Shapes that have not three axes are left alone.
    where : str, default="X"
        What has this shape, for the message.
    error : type, default=DataError
        Class of the error.

    Raises
    ------
    DataError
        If the last axis has as many places as images have channels, the first has not, and height
        and width are equal.

    Warns
    -----
    DistillkitWarning
        If height and width differ, so that images of many channels that are a few pixels wide
        cannot be ruled out.
    """
    if len(shape) != 3 or shape[-1] not in _CHANNELS or shape[0] in _CHANNELS:
        return
    height, width, channels = shape
    # Square maps of many channels, such as (64, 4, 4), and images of a few pixels leave no doubt.
    if width == channels or min(height, width) < _SMALLEST_SIDE:
        return
    text = (
        f"{where} has images of shape {tuple(shape)}, which would be {height} channels of {width} x {channels} pixels: "
        "the channels come before height and width, so give X.transpose(0, 3, 1, 2) (for tensors, X.permute)"
    )
    if height == width:
        raise error(f"{text}.")
    warnings.warn(f"{text}, unless the shape is meant.", DistillkitWarning, stacklevel=3)
