"""Images as bytes, and pictures of many small images side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["by_class", "tile", "to_bytes", "with_channels"]

GAP = 128
"""Gray level between images, and of empty cells."""


def with_channels(X: np.ndarray, modality: str) -> np.ndarray:
    """Return images as (m, channels, height, width) and series as (m, channels, time).

    Raises
    ------
    ValueError
        If the rows have a different shape, or there are none.
    """
    axes = 3 if modality == "image" else 2
    if X.ndim == axes:
        X = X[:, None]
    if X.ndim != axes + 1 or 0 in X.shape:
        raise ValueError(f"rows of shape {X.shape[1:]} are not of the kind {modality}")
    return X


def by_class(y: np.ndarray | None, n: int) -> dict[str, np.ndarray]:
    """Return the positions of the rows of each class, or of all rows if there are no classes."""
    labels = None if y is None else np.asarray(y)
    if labels is None or labels.dtype.kind == "f":
        return {"all": np.arange(n)}
    return {str(label): np.flatnonzero(labels == label) for label in np.unique(labels)}


def to_bytes(X: np.ndarray) -> tuple[np.ndarray, str]:
    """Return images (m, channels, height, width) as uint8 (m, height, width, 1 or 3), with a note.

    The note says how the values were scaled and which channels are shown.
    """
    note = ""
    if X.dtype != np.uint8:
        X = X.astype(np.float64)
        low, high = np.nanpercentile(X, [0.5, 99.5])
        if low < -0.01 or high > 1.01:
            note = f"; gray levels from {low:.3g} to {high:.3g}"
        else:
            low, high = 0.0, 1.0
        X = np.nan_to_num(np.clip((X - low) / max(high - low, 1e-12), 0, 1) * 255).round().astype(np.uint8)
    if X.shape[1] not in (1, 3):
        note += f"; first of {X.shape[1]} channels"
        X = X[:, :1]
    return X.transpose(0, 2, 3, 1), note


def tile(X: np.ndarray, groups: Sequence[np.ndarray], *, down: bool) -> np.ndarray:
    """Return one picture of many images (m, height, width, channels), one pixel apart.

    Parameters
    ----------
    X : ndarray of uint8
    groups : sequence of ndarray
        Positions of the images of each group.
    down : bool
        Whether each group is a column instead of a row.

    Returns
    -------
    ndarray of uint8 of shape (total height, total width, channels)
    """
    height, width = X.shape[1:3]
    n, longest = len(groups), max(len(rows) for rows in groups)
    n_rows, n_columns = (longest, n) if down else (n, longest)
    canvas = np.full((n_rows * (height + 1) - 1, n_columns * (width + 1) - 1, X.shape[3]), GAP, dtype=np.uint8)
    for i, rows in enumerate(groups):
        for j, row in enumerate(rows):
            top, left = ((j, i) if down else (i, j)) * np.array([height + 1, width + 1])
            canvas[top : top + height, left : left + width] = X[row]
    return canvas
