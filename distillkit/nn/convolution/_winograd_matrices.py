"""Transformation matrices of Winograd's minimal filtering for 3x3 convolutions.

A tile of 4x4 outputs takes 36 products instead of the 144 of the definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import prod
from typing import Any

import numpy as np
import torch

__all__ = ["OUTPUTS", "TAPS", "Transforms", "points", "transforms"]

OUTPUTS, TAPS = 4, 3  # number of outputs per side of a tile, and of kernel taps per side
# Interpolation points. They are symmetric and near one, which keeps the entries of the matrices
# small; their rounding error is lower than that of the usual points 0, 1, -1, 2, -2.
_POINTS = tuple(Fraction(*pair) for pair in ((0, 1), (3, 4), (-3, 4), (3, 2), (-3, 2)))


@dataclass(frozen=True)
class Transforms:
    """Transformation matrices, which multiply a tile from the left and, transposed, from the right.

    Attributes
    ----------
    rows : tensor of shape (6, 6)
        Transforms input tiles of 6x6 to the domain in which products are taken.
    taps : tensor of shape (6, 3)
        Transforms kernels of 3x3 to that domain.
    outputs : tensor of shape (4, 6)
        Transforms products to output tiles of 4x4.
    """

    rows: torch.Tensor
    taps: torch.Tensor
    outputs: torch.Tensor


@cache
def transforms(dtype: torch.dtype) -> Transforms:
    """Return the matrices in a floating-point type, rounded from exact fractions."""
    outputs, taps, rows = (torch.tensor(matrix, dtype=dtype) for matrix in _cook_toom(_POINTS))
    return Transforms(rows, taps, outputs)


@cache
def points(dtype: torch.dtype) -> tuple[np.floating[Any], np.floating[Any]]:
    """Return the two positive interpolation points, exact in every floating-point type."""
    kind = torch.empty(0, dtype=dtype).numpy().dtype.type
    return kind(float(_POINTS[1])), kind(float(_POINTS[3]))


def _cook_toom(points: tuple[Fraction, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the matrices of the Cook-Toom algorithm for given interpolation points.

    They are A', G and B' with ``y = A' ((G g) * (B' x))`` for the filter ``y[i] = sum of g[j] x[i +
    j]``. The algorithm is the transpose of a multiplication of polynomials by their values at the
    points and at infinity.

    References
    ----------
    S. Winograd, "Arithmetic complexity of computations", 1980; A. Lavin and S. Gray, "Fast
    algorithms for convolutional neural networks", CVPR 2016 (arXiv:1509.09308).
    """
    denominators = [prod((point - other for other in points if other != point), start=Fraction(1)) for point in points]
    outputs = [[point**power for point in points] + [Fraction(power == OUTPUTS - 1)] for power in range(OUTPUTS)]
    taps = [[point**power / d for power in range(TAPS)] for point, d in zip(points, denominators, strict=True)]
    taps.append([Fraction(power == TAPS - 1) for power in range(TAPS)])
    rows = [[*_polynomial([other for other in points if other != point]), Fraction(0)] for point in points]
    rows.append(_polynomial(points))
    as_floats = (np.array([[float(value) for value in row] for row in matrix]) for matrix in (outputs, taps, rows))
    return tuple(as_floats)  # type: ignore[return-value]


def _polynomial(roots: list[Fraction] | tuple[Fraction, ...]) -> list[Fraction]:
    """Return the coefficients of the product of all (t - root), the constant first."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted, scaled = [Fraction(0), *coefficients], [*(root * value for value in coefficients), Fraction(0)]
        coefficients = [first - second for first, second in zip(shifted, scaled, strict=True)]
    return coefficients
