"""Downscaled storage of synthetic images and series, interpolated to full size for networks."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
import torch

from distillkit.exceptions import DataError
from distillkit.utils._interpolation import interpolation_matrix, shrink, smaller_sides

__all__ = ["Downscaling"]


class Downscaling:
    """Converts rows between full size and the smaller size at which they are stored.

    All rows are in the units of the network.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row at full size: (channels, time) or (channels, height, width).
    factor : int
        Factor by which each side is divided.
    device : torch.device

    References
    ----------
    Kim et al., "Dataset condensation via efficient synthetic-data parameterization", ICML 2022,
    whose multi-formation stores ``factor ** 2`` images in the room of one.
    """

    def __init__(self, shape: tuple[int, ...], factor: int, device: torch.device) -> None:
        self._sides, self._device = shape[1:], device
        self._small_sides = smaller_sides(self._sides, factor)

    @classmethod
    def of(cls, shape: tuple[int, ...], factor: int, device: torch.device) -> Self | None:
        """Return the conversion for rows of a shape, or None if the factor is 1.

        Raises
        ------
        DataError
            If the rows are those of a table, or the factor exceeds their shortest side.
        """
        if factor == 1:
            return None
        if len(shape) == 1:
            raise DataError(
                f"downscale={factor} makes images and series smaller, but X is a table, whose columns have no order "
                "to interpolate along: leave downscale at 1."
            )
        shortest = min(shape[1:])
        if factor > shortest:
            raise DataError(
                f"downscale={factor} leaves nothing of rows of shape {shape}, whose shortest side is {shortest}: "
                f"give {shortest} at most."
            )
        return cls(shape, factor, device)

    @cached_property
    def _matrices(self) -> list[torch.Tensor]:
        """Interpolation matrices from the small to the full size, one for each side."""
        pairs = zip(self._sides, self._small_sides, strict=True)
        return [
            torch.as_tensor(interpolation_matrix(*pair), dtype=torch.float32, device=self._device) for pair in pairs
        ]

    def encode(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the small rows whose interpolation is nearest to the given rows."""
        small = shrink(rows.detach().cpu().numpy().astype(np.float64), self._small_sides)
        return torch.as_tensor(small, dtype=rows.dtype, device=rows.device)

    def decode(self, stored: torch.Tensor) -> torch.Tensor:
        """Interpolate small rows to full size, differentiably."""
        # Matrix products are used because the gradient of torch's own interpolation sums in no
        # fixed order on a GPU and is therefore not reproducible.
        rows = stored @ self._matrices[-1].T
        return rows if len(self._sides) == 1 else self._matrices[0] @ rows

    def cut(self, limits: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the limits of small rows, from limits (1, channels, ...) that are constant."""
        low, high = (limit.flatten()[0].expand(1, limit.shape[1], *self._small_sides) for limit in limits)
        return low, high
