"""Conversion of rows between the units of the data and those of the networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.synthesis._columns import Columns
from distillkit.utils._image_axes import check_image_axes
from distillkit.utils._moments import extreme_columns, mean_and_deviation

__all__ = ["Codec"]

_SMALLEST_SIDE = 8


@dataclass(frozen=True, eq=False)
class Codec:
    """A scaler of rows for the networks, which also maps generated rows back to the data.

    Images are scaled to [-1, 1] by the lowest and highest value of each channel, series are
    standardized by channel, and tables by column, except that columns of few levels are scaled to
    [-1, 1]. Generated rows are clipped to the range that each feature (pixel, time step of a
    channel, column) has in the training rows.

    Parameters
    ----------
    kind : {"image", "series", "table"}
        Images and series with a side under 8, and rows of any other shape, are treated as tables:
        their rows are flattened.
    shape : tuple of int
        Shape of one row in the data.
    shift, scale : ndarray, float64
        The networks see ``(x - shift) / scale``; both broadcast against rows.
    low, high : ndarray of shape (1, ...), float64
        Range of each feature, in the units of the data.
    columns : Columns or None
        Kinds of the columns of a table; None for images and series.
    """

    kind: str
    shape: tuple[int, ...]
    shift: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    columns: Columns | None = None

    @classmethod
    def of(cls, X: np.ndarray, weight: np.ndarray | None = None) -> Codec:
        """Compute the scales from training rows (n, ...), perhaps with weights (n,)."""
        shape = X.shape[1:]
        check_image_axes(shape)
        kind = {3: "image", 2: "series"}.get(len(shape), "table")
        sides = shape[1:] or (0,)
        if min(sides) < _SMALLEST_SIDE:
            kind = "table"
        if kind == "table":
            X = X.reshape(len(X), -1)
        low, high = (bound(axis=0, keepdims=True).astype(np.float64) for bound in (X.min, X.max))
        if kind == "table":
            columns = Columns.of(X)
            return cls(kind, shape, *_table_scales(X, columns, low, high, weight), low, high, columns)
        shift, scale = _range_scales(low, high) if kind == "image" else _standard_scales(X, weight)
        return cls(kind, shape, shift, scale, low, high)

    @property
    def network_shape(self) -> tuple[int, ...]:
        """Shape of one row as the networks see it."""
        shape: tuple[int, ...] = self.low.shape[1:]
        return shape

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the codec, and all else as plain values for JSON."""
        arrays = {"shift": self.shift, "scale": self.scale, "low": self.low, "high": self.high}
        state = {"kind": self.kind, "shape": list(self.shape)}
        return arrays, state | {"columns": None if self.columns is None else self.columns.to_state()}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Codec:
        """Return the codec that `to_state` described."""
        columns = None if state["columns"] is None else Columns.from_state(state["columns"])
        shift, scale, low, high = (arrays[name] for name in ("shift", "scale", "low", "high"))
        return cls(state["kind"], tuple(state["shape"]), shift, scale, low, high, columns)

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Return rows (n, ...) as the networks see them: (n, *network_shape), float32."""
        rows = np.empty((len(X), *self.network_shape), dtype=np.float32)
        for start in range(0, len(X), 4096):  # in blocks, because float64 intermediates need memory
            block = X[start : start + 4096].reshape(-1, *self.network_shape)
            rows[start : start + 4096] = (block - self.shift) / self.scale
        return rows

    def decode(self, Z: np.ndarray) -> np.ndarray:
        """Return encoded rows in the units and the range of the data: (n, *shape), float64."""
        rows = np.clip(Z.astype(np.float64) * self.scale + self.shift, self.low, self.high)
        if self.columns is not None:
            rows = self.columns.snap(rows)
        decoded: np.ndarray = rows.reshape(-1, *self.shape)
        return decoded


def _range_scales(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle and half the range of each channel or column."""
    axes = tuple(range(2, low.ndim))
    low, high = low.min(axis=axes, keepdims=True), high.max(axis=axes, keepdims=True)
    return (low + high) / 2, np.where(high > low, (high - low) / 2, 1)


def _standard_scales(X: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the (weighted) mean and standard deviation of each channel or column."""
    axes = (0, *range(2, X.ndim))
    mean, deviation = (
        X.mean(axis=axes, keepdims=True, dtype=np.float64),
        X.std(axis=axes, keepdims=True, dtype=np.float64),
    )
    low, high = (ends.astype(np.float64) for ends in (X.min(axis=axes, keepdims=True), X.max(axis=axes, keepdims=True)))
    for channel in range(X.shape[1]) if weight is not None else np.flatnonzero(extreme_columns(low, high)):
        mean.flat[channel], deviation.flat[channel] = mean_and_deviation(X[:, channel], weight)
    # The computed deviation of a constant feature may be a rounding error instead of zero.
    return mean, np.where((low < high) & (deviation > 0), deviation, 1)


def _table_scales(
    X: np.ndarray, columns: Columns, low: np.ndarray, high: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    shift, scale = _standard_scales(X, weight)
    has_levels = np.zeros(X.shape[1], dtype=bool)
    has_levels[list(columns.levels)] = True
    # Columns of few levels are scaled by their range, because a rare level would be many standard
    # deviations away from the mean.
    middle, half_range = _range_scales(low, high)
    return np.where(has_levels, middle, shift), np.where(has_levels, half_range, scale)
