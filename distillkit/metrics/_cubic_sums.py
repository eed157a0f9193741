"""Sums of the cubic kernel over all pairs of rows, by their moments of up to third order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

__all__ = ["CubicSums", "cubic_kernel"]

_BLOCK_VALUES = 8_000_000
_MANY_ROWS = 20_000


def cubic_kernel(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Return the kernel (x.y / d + 1)^3 of all pairs, of shape (n, m)."""
    kernel = X @ Y.T / X.shape[1] + 1
    return np.asarray(kernel * kernel * kernel)


@dataclass(frozen=True)
class CubicSums:
    """Weighted sums over rows from which the sum of the cubic kernel over all pairs follows.

    Since (x.y)^2 = q(x).q(y) for the products q(x) of two features, the sum of (x.y)^3 over all
    pairs is the squared norm of the sum of q(x) x'.

    Parameters
    ----------
    weight : float
        Sum of the weights.
    first, second, third : ndarray of shape (d,), (q,) and (q, d)
        Sums of x, q(x) and q(x) x', with q = d (d + 1) / 2.
    diagonal : float
        Sum of the kernel of each row with itself.
    """

    weight: float
    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    diagonal: float

    @classmethod
    def of(cls, rows: np.ndarray, weight: np.ndarray | None = None) -> Self:
        """Compute the sums of rows (n, d) with weights (n,), or with equal weights of 1."""
        d = rows.shape[1]
        n_products = d * (d + 1) // 2
        first, second, third, diagonal = np.zeros(d), np.zeros(n_products), np.zeros((n_products, d)), 0.0
        weight = np.ones(len(rows)) if weight is None else weight
        step = max(1, _BLOCK_VALUES // n_products)
        # For many rows, float32 is exact enough within a block; the blocks are summed in float64.
        single = rows.dtype == np.float32 and len(rows) > _MANY_ROWS
        dtype: Any = np.float32 if single else np.float64
        for start in range(0, len(rows), step):
            block, w = rows[start : start + step].astype(dtype), weight[start : start + step].astype(dtype)
            weighted = block * w[:, None]
            products = _products(block)
            first += weighted.sum(axis=0)
            second += w @ products
            third += products.T @ weighted
            diagonal += float(w @ (np.einsum("ij,ij->i", block, block) / d + 1) ** 3)
        return cls(float(weight.sum()), first, second, third, diagonal)

    def __sub__(self, other: Self) -> CubicSums:
        return CubicSums(
            self.weight - other.weight,
            self.first - other.first,
            self.second - other.second,
            self.third - other.third,
            self.diagonal - other.diagonal,
        )

    def all_pairs(self) -> float:
        """Return the sum of the kernel over all pairs, each row with itself included."""
        d = len(self.first)
        parts = (self.first @ self.first / d, self.second @ self.second / d**2)
        return float(self.weight**2 + 3 * sum(parts) + np.einsum("ij,ij->", self.third, self.third) / d**3)

    def with_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return for each of m rows the weighted sum (m,) of its kernel with all rows."""
        d, total = len(self.first), np.empty(len(rows))
        step = max(1, _BLOCK_VALUES // len(self.second))
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            products = _products(block)
            cubes = np.einsum("ij,ij->i", products @ self.third, block)
            total[start : start + step] = 3 * (block @ self.first / d + products @ self.second / d**2) + cubes / d**3
        return total + self.weight


def _products(rows: np.ndarray) -> np.ndarray:
    """Return products of two features, whose dot products are squared dot products of rows."""
    d = rows.shape[1]
    products, first = np.empty((len(rows), d * (d + 1) // 2), rows.dtype), 0
    doubled = rows * rows.dtype.type(np.sqrt(2.0))  # products of different features stand for two terms
    for i in range(d):
        products[:, first] = rows[:, i] * rows[:, i]
        np.multiply(rows[:, i : i + 1], doubled[:, i + 1 :], out=products[:, first + 1 : first + d - i])
        first += d - i
    return products
