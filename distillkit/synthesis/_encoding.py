"""Between the units of the data and those of the networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distillkit.synthesis._columns import Columns

__all__ = ["Codec"]

_SMALLEST_SIDE = 8


@dataclass(frozen=True, eq=False)
class Codec:
    """Scales rows for the networks, and carries made rows back into the units and the range of the training rows.

    Images are scaled to [-1, 1] by the lowest and highest value of each channel; series are standardized by channel;
    tables by column, where columns of few levels go to [-1, 1]. Made rows are clipped to the lowest and highest value
    that each feature (pixel, time step of a channel, column) had in the training rows.

    Parameters
    ----------
    kind : {"image", "series", "table"}
        Images and series with a side under 8 count as tables, and so does anything else: their rows are flattened.
    shape : tuple of int
        Shape of one row in the data.
    shift, scale : ndarray, float64
        ``(x - shift) / scale`` is what networks see; they broadcast against rows.
    low, high : ndarray of shape (1, ...), float64
        Range of each feature, in the units of the data.
    columns : Columns or None
        For tables.
    """

    kind: str
    shape: tuple[int, ...]
    shift: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    columns: Columns | None = None

    @classmethod
    def of(cls, X: np.ndarray) -> Codec:
        """Take the scales from rows (n, ...)."""
        shape = X.shape[1:]
        kind = {3: "image", 2: "series"}.get(len(shape), "table")
        sides = shape[1:] or (0,)
        if min(sides) < _SMALLEST_SIDE:
            kind = "table"
        if kind == "table":
            X = X.reshape(len(X), -1)
        low, high = (bound(axis=0, keepdims=True).astype(np.float64) for bound in (X.min, X.max))
        if kind == "table":
            columns = Columns.of(X)
            return cls(kind, shape, *_table_scales(X, columns, low, high), low, high, columns)
        shift, scale = _range_scales(low, high) if kind == "image" else _spread_scales(X)
        return cls(kind, shape, shift, scale, low, high)

    @property
    def network_shape(self) -> tuple[int, ...]:
        """Shape of one row in the networks."""
        shape: tuple[int, ...] = self.low.shape[1:]
        return shape

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Return rows (n, *network_shape), float32, as the networks see them."""
        rows = np.empty((len(X), *self.network_shape), dtype=np.float32)
        for start in range(0, len(X), 4096):  # the float64 in between would need much memory for all rows at once
            block = X[start : start + 4096].reshape(-1, *self.network_shape)
            rows[start : start + 4096] = (block - self.shift) / self.scale
        return rows

    def decode(self, Z: np.ndarray) -> np.ndarray:
        """Return rows (n, *shape), float64, in the units and the range of the data."""
        rows = np.clip(Z.astype(np.float64) * self.scale + self.shift, self.low, self.high)
        if self.columns is not None:
            rows = self.columns.snapped(rows)
        decoded: np.ndarray = rows.reshape(-1, *self.shape)
        return decoded


def _range_scales(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    axes = tuple(range(2, low.ndim))
    low, high = low.min(axis=axes, keepdims=True), high.max(axis=axes, keepdims=True)
    return (low + high) / 2, np.where(high > low, (high - low) / 2, 1)


def _spread_scales(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    axes = (0, *range(2, X.ndim))
    mean, spread = (
        X.mean(axis=axes, keepdims=True, dtype=np.float64),
        X.std(axis=axes, keepdims=True, dtype=np.float64),
    )
    constant = X.max(axis=axes, keepdims=True) == X.min(axis=axes, keepdims=True)  # rounding noise is no spread
    return mean, np.where(constant, 1, spread)


def _table_scales(X: np.ndarray, columns: Columns, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shift, scale = _spread_scales(X)
    few = np.zeros(X.shape[1], dtype=bool)
    few[list(columns.levels)] = True
    # by their range: a rare level would be many standard deviations away
    middle, half = _range_scales(low, high)
    return np.where(few, middle, shift), np.where(few, half, scale)
