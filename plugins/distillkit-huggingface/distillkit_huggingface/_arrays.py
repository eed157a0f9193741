"""Datasets with one column of images, series or rows of numbers, as an ``.npz`` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from distillkit.exceptions import DatasetError
from distillkit_huggingface._tables import class_names

__all__ = ["array_column", "write_arrays"]

_COLOR_AXES = 3


def array_column(part: Any, target: str) -> str | None:
    """Return the name of the only column beside the target if it holds images or arrays.

    Parameters
    ----------
    part : datasets.Dataset
    target : str
    """
    from datasets import Image
    from datasets.features.features import _ArrayXD

    others = [name for name in part.column_names if name != target]
    if len(others) == 1 and isinstance(part.features[others[0]], (Image, _ArrayXD)):
        return str(others[0])
    return None


def write_arrays(parts: dict[str, Any], column: str, target: str, folder: Path) -> Path:
    """Write the rows and targets of all parts, and return the path of the file.

    Parameters
    ----------
    parts : dict of str to datasets.Dataset
        "train", and "test" if there are test rows.
    column, target : str
        Names of the columns with the rows and with the targets.
    folder : Path
    """
    arrays: dict[str, np.ndarray] = {}
    for name, part in parts.items():
        arrays[f"X_{name}"] = _rows(part, column)
        arrays[f"y_{name}"] = _targets(part, target)
    path = folder / "rows.npz"
    np.savez(path, allow_pickle=False, **arrays)
    return path


def _rows(part: Any, column: str) -> np.ndarray:
    """Return the rows as (n, channels, height, width), or in the shape of their arrays."""
    from datasets import Image

    if not isinstance(part.features[column], Image):
        return np.asarray(part.with_format("numpy")[column][:])
    images = [np.asarray(image) for image in part[column]]
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        found = ", ".join(str(shape) for shape in sorted(shapes, key=str)[:3])
        raise DatasetError(f"the images of column {column!r} have different sizes ({found}): resize them first.")
    stacked = np.stack(images)
    if stacked.ndim == _COLOR_AXES:  # gray images have no axis of channels
        return stacked[:, None]
    return np.moveaxis(stacked, -1, 1)


def _targets(part: Any, target: str) -> np.ndarray:
    names = class_names(part, target)
    values = part[target][:]
    if any(value is None for value in values):
        raise DatasetError(f"column {target!r} has rows without a target: filter them out first.")
    return np.asarray([names[value] for value in values] if names else values)
