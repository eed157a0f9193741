"""Synthetic images and series that are kept small and interpolated wherever a network sees them."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
import torch

from distillkit.exceptions import DataError
from distillkit.utils._interpolation import interpolation_matrix, shrink, smaller_sides

__all__ = ["Downscaling"]


class Downscaling:
    """The way from small rows to those of a problem and back, in the units of the network.

    Parameters
    ----------
    shape : tuple of int
        Of one row: (channels, time) or (channels, height, width).
    factor : int
        That the sides are divided by.
    device : torch.device

    References
    ----------
    Kim et al., "Dataset condensation via efficient synthetic-data parameterization", ICML 2022, whose multi-formation stores
    ``factor ** 2`` images in the room of one.
    """

    def __init__(self, shape: tuple[int, ...], factor: int, device: torch.device) -> None:
        self._sides, self._device = shape[1:], device
        self._small = smaller_sides(self._sides, factor)

    @classmethod
    def of(cls, shape: tuple[int, ...], factor: int, device: torch.device) -> Self | None:
        """Return the way for rows of a shape; None where rows are kept as they are.

        Raises
        ------
        DataError
            If rows have no sides, or sides too short for the factor.
        """
        if factor == 1:
            return None
        if len(shape) == 1:
            raise DataError(
                f"downscale={factor} makes images and series smaller, but X is a table, whose columns have no order to interpolate along: "
                "leave downscale at 1."
            )
        if factor > min(shape[1:]):
            raise DataError(
                f"downscale={factor} leaves nothing of rows of shape {shape}: give {min(shape[1:])} at most."
            )
        return cls(shape, factor, device)

    @cached_property
    def _matrices(self) -> list[torch.Tensor]:
        pairs = zip(self._sides, self._small, strict=True)
        return [
            torch.as_tensor(interpolation_matrix(*pair), dtype=torch.float32, device=self._device) for pair in pairs
        ]

    def encode(self, rows: torch.Tensor) -> torch.Tensor:
        """Return small rows whose interpolation is nearest to the rows."""
        small = shrink(rows.detach().cpu().numpy().astype(np.float64), self._small)
        return torch.as_tensor(small, dtype=rows.dtype, device=rows.device)

    def decode(self, stored: torch.Tensor) -> torch.Tensor:
        """Interpolate small rows, differentiably."""
        # products of matrices, since the gradient of torch's own interpolation has no fixed order of sums on a GPU
        rows = stored @ self._matrices[-1].T
        return rows if len(self._sides) == 1 else self._matrices[0] @ rows

    def cut(self, limits: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return limits (1, channels, ...), alike at every place, for small rows."""
        low, high = (limit.flatten()[0].expand(1, limit.shape[1], *self._small) for limit in limits)
        return low, high
