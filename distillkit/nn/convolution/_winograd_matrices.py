"""The matrices of minimal filtering: tiles of 4x4 outputs of a 3x3 convolution from 36 products instead of 144."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import prod
from typing import Any

import numpy as np
import torch

__all__ = ["OUTPUTS", "TAPS", "Transforms", "points", "transforms"]

OUTPUTS, TAPS = 4, 3  # per side of a tile
# Symmetric and near one, which keeps the constants small: of seven sets tried, these lose the fewest digits. In float32, over 128
# channels, the relative error is 1.0e-6, where the usual 0, 1, -1, 2, -2 give 2.0e-6 and the plain sum of products 0.4e-6.
_POINTS = tuple(Fraction(*pair) for pair in ((0, 1), (3, 4), (-3, 4), (3, 2), (-3, 2)))


@dataclass(frozen=True)
class Transforms:
    """Each acts on the columns of a tile and, transposed, on its rows.

    Attributes
    ----------
    rows : tensor of shape (6, 6)
        Input tiles of 6x6 to where products are taken.
    taps : tensor of shape (6, 3)
        Kernels to there.
    outputs : tensor of shape (4, 6)
        Products to output tiles of 4x4.
    """

    rows: torch.Tensor
    taps: torch.Tensor
    outputs: torch.Tensor


@cache
def transforms(dtype: torch.dtype) -> Transforms:
    """Return the matrices in a precision, computed from exact fractions."""
    outputs, taps, rows = (torch.tensor(matrix, dtype=dtype) for matrix in _cook_toom(_POINTS))
    return Transforms(rows, taps, outputs)


@cache
def points(dtype: torch.dtype) -> tuple[np.floating[Any], np.floating[Any]]:
    """Return the two positive points, exact in every precision."""
    kind = torch.empty(0, dtype=dtype).numpy().dtype.type
    return kind(float(_POINTS[1])), kind(float(_POINTS[3]))


def _cook_toom(points: tuple[Fraction, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A', G and B' with ``y = A' ((G g) * (B' x))`` for ``y[i] = sum of g[j] x[i + j]``.

    That is the transpose of a product of polynomials by their values at the points and at infinity: S. Winograd, "Arithmetic
    complexity of computations", 1980; A. Lavin and S. Gray, CVPR 2016 (arXiv:1509.09308).
    """
    ends = [prod((point - other for other in points if other != point), start=Fraction(1)) for point in points]
    outputs = [[point**power for point in points] + [Fraction(power == OUTPUTS - 1)] for power in range(OUTPUTS)]
    taps = [[point**power / end for power in range(TAPS)] for point, end in zip(points, ends, strict=True)]
    taps.append([Fraction(power == TAPS - 1) for power in range(TAPS)])
    rows = [[*_polynomial([other for other in points if other != point]), Fraction(0)] for point in points]
    rows.append(_polynomial(points))
    as_floats = (np.array([[float(value) for value in row] for row in matrix]) for matrix in (outputs, taps, rows))
    return tuple(as_floats)  # type: ignore[return-value]


def _polynomial(roots: list[Fraction] | tuple[Fraction, ...]) -> list[Fraction]:
    """Return the coefficients, the constant first, of the product of (t - root)."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted, scaled = [Fraction(0), *coefficients], [*(root * value for value in coefficients), Fraction(0)]
        coefficients = [first - second for first, second in zip(shifted, scaled, strict=True)]
    return coefficients
