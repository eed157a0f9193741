"""Samples and squared distances in torch, differentiable and safe from cancellation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.utils.checkpoint import checkpoint

from distillkit.distances._samples import NotFiniteError
from distillkit.distances._squared import CANCELLED
from distillkit.exceptions import DataError

__all__ = ["as_float_tensors", "refuse_not_finite", "squares_of_tensors"]

_EXACT_INTEGERS = 2**53  # float64 represents all integers up to this size
_SMALL_VALUES = 2**14  # number of differences up to which no product is used
_FEW_PAIRS = 8  # differences are taken of single pairs if at most one pair in this many cancels
_BLOCK_VALUES = 2**22  # number of differences held at a time


def as_float_tensors(*tensors: torch.Tensor) -> list[torch.Tensor]:
    """Convert tensors to their common type, float32 or float64, before any arithmetic.

    Booleans, integers and half precision become float64, or float32 on devices without float64.

    Raises
    ------
    DataError
        If values are complex, or integers beyond 2**53.
    """
    dtypes = []
    for tensor in tensors:
        if tensor.is_complex():
            raise DataError(f"a tensor holds values of type {tensor.dtype}: give real numbers.")
        if tensor.dtype in (torch.int64, torch.uint64) and tensor.numel():
            lowest, highest = (int(end) for end in torch.aminmax(tensor))
            if max(highest, -lowest) > _EXACT_INTEGERS:
                raise DataError(
                    "a tensor holds integers beyond 2**53, which float64 cannot tell apart: "
                    "subtract a common offset, or give floats."
                )
        wide = torch.float32 if tensor.device.type == "mps" else torch.float64
        dtypes.append(tensor.dtype if tensor.dtype in (torch.float32, torch.float64) else wide)
    dtype = torch.float64 if torch.float64 in dtypes else torch.float32
    return [tensor.to(dtype) for tensor in tensors]


def refuse_not_finite(value: torch.Tensor, **samples: torch.Tensor | Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the value of a distance, and refuse one that is not finite.

    Raises
    ------
    NotFiniteError
        If the value is not finite. The message names the sample with NaN or infinite values, if
        there is one.
    """
    if bool(torch.isfinite(value.detach()).all()):
        return value
    for name, sample in samples.items():
        tensors = [sample] if isinstance(sample, torch.Tensor) else sample
        if not all(bool(torch.isfinite(tensor.detach()).all()) for tensor in tensors):
            raise NotFiniteError(
                f"{name} holds NaN or infinite values, so it is not finite and has no distance to others."
            )
    raise NotFiniteError(
        f"the distance of these samples is not finite: their values are too large for {value.dtype}; scale them first."
    )


def squares_of_tensors(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """Squared distances between all rows, differentiable in both.

    As in `squared_distances`, they come from a product of centered rows, and those that are small
    differences of large norms are computed again from the differences of the values.
    """
    if len(X) * len(Y) * X.shape[1] <= _SMALL_VALUES:
        return _direct_squares(X, Y)
    # 1. Center both samples at the mean of Y, and expand the squares.
    center = Y.detach().mean(dim=0)
    x_centered, y_centered = X - center, Y - center
    norms = x_centered.square().sum(dim=1)[:, None] + y_centered.square().sum(dim=1)[None, :]
    squares = norms - 2 * (x_centered @ y_centered.T)
    # 2. Compute the distances that are small differences of large norms again.
    first, second = torch.nonzero(squares.detach() <= CANCELLED * norms.detach(), as_tuple=True)
    if len(first) * _FEW_PAIRS > squares.numel():
        rows = max(1, _BLOCK_VALUES // (len(Y) * X.shape[1]))
        blocks = [checkpoint(_direct_squares, block, Y, use_reentrant=False) for block in torch.split(X, rows)]
        return torch.cat(blocks)
    if not len(first):
        return squares
    return squares.index_put((first, second), (X[first] - Y[second]).square().sum(dim=1))


def _direct_squares(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """Squared distances between all rows, from the differences of their values."""
    return (X[:, None] - Y[None]).square().sum(dim=2)
