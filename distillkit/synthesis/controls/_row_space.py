"""Rows as vectors, and vectors as rows whose columns hold values that they can have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distillkit.synthesis.tabular._column_scales import column_scales
from distillkit.synthesis.tabular._variables import Variables
from distillkit.tables import TableEncoder

__all__ = ["RowSpace"]


@dataclass(frozen=True, eq=False)
class RowSpace:
    """The map between rows and standardized vectors.

    Parameters
    ----------
    shape : tuple of int
        Shape of a row.
    variables : Variables or None
        Of a table; None for series and images.
    center, scale : ndarray of shape (d,)
        Vectors are ``(x - center) / scale``. All values of series and images have the same scale.
    low, high : ndarray of shape (d,)
        Range of the training rows, within which made rows lie.
    """

    shape: tuple[int, ...]
    variables: Variables | None
    center: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(
        cls, X: np.ndarray, encoder: TableEncoder | None, weight: np.ndarray | None, *, is_table: bool = True
    ) -> Self:
        """Learn the scales of training rows (n, ...), which are no table if they have more axes."""
        is_table = is_table and X.ndim == 2
        flat = X.reshape(len(X), -1).astype(np.float64)
        scale = column_scales(flat, weight)
        if not is_table:
            scale = np.full(flat.shape[1], float(np.sqrt(np.mean(np.square(scale)))))
        variables = Variables.of(X, encoder) if is_table else None
        low, high = flat.min(axis=0), flat.max(axis=0)
        center = low + np.average((flat - low), axis=0, weights=weight)
        return cls(X.shape[1:], variables, center, scale, low, high)

    def points(self, X: np.ndarray) -> np.ndarray:
        """Return rows (n, ...) as standardized vectors (n, d), float64."""
        points: np.ndarray = (X.reshape(len(X), -1) - self.center) / self.scale
        return points

    def rows(self, points: np.ndarray) -> np.ndarray:
        """Return vectors (n, d) as rows (n, ...), float64, of values that the columns can have."""
        flat = np.clip(points * self.scale + self.center, self.low, self.high)
        if self.variables is not None:
            flat = self.variables.snap(flat)
        rows: np.ndarray = flat.reshape(-1, *self.shape)
        return rows

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the space, and all else as plain values for JSON."""
        arrays = {name: getattr(self, name) for name in ("center", "scale", "low", "high")}
        variables = None if self.variables is None else self.variables.to_state()
        return arrays, {"shape": list(self.shape), "variables": variables}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Self:
        """Return the space that `to_state` described."""
        variables = None if state["variables"] is None else Variables.from_state(state["variables"])
        return cls(tuple(state["shape"]), variables, *(arrays[name] for name in ("center", "scale", "low", "high")))
