"""Gray images without an axis of channels, which would be taken for series."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.reports._report_rows import ReportRows

__all__ = ["as_images"]

_SERIES, _IMAGES = 3, 4
_AXES = {"series": _SERIES, "image": _IMAGES}


def as_images(all_rows: list[ReportRows], modality: str | None) -> None:
    """Give gray images of shape (n, height, width) an axis of channels; the rows are changed.

    Parameters
    ----------
    all_rows : list of ReportRows
    modality : {"image", "series"} or None
        None takes rows of two axes for images only where other rows have three.

    Raises
    ------
    DataError
        If the modality is another one, or the rows cannot be of its kind.
    """
    if modality not in (None, *_AXES):
        raise DataError(f"modality={modality!r}: give 'image' or 'series', or leave it out.")
    axes = {np.ndim(rows.X) for rows in all_rows}
    if modality == "image" or (modality is None and axes == {_SERIES, _IMAGES}):
        for rows in all_rows:
            if np.ndim(rows.X) == _SERIES:
                rows.X = _with_channel(rows.X)
    for rows in all_rows:
        if modality is not None and np.ndim(rows.X) != _AXES[modality]:
            raise DataError(
                f"modality={modality!r}, but {rows.role} have the shape {np.shape(rows.X)}: {_remedy(modality)}"
            )


def _with_channel(X: Any) -> np.ndarray:
    return np.asarray(X)[:, None]


def _remedy(modality: str) -> str:
    if modality == "series":
        return "give series (n, channels, time), or leave modality out."
    return "give images (n, channels, height, width) or (n, height, width), or leave modality out."
