"""Sums of Gaussian kernels over all pairs of rows, in blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.distances._mmd import SCALES
from distillkit.distances._squared import pairwise_squares

__all__ = ["KernelRows"]

_SINGLE_VALUES = 4e9  # products of pairs of rows and features beyond which rows are in float32
_BLOCK = (1024, 1024)  # rows of the two samples in one block
_CANCELLATION = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-10}
"""Largest rounding error, as a share of the squared bandwidth, of a square by a matrix product."""


class KernelRows:
    """Rows prepared for sums of the mean of five Gaussian kernels; see `distances.mmd`.

    The exponent of the widest kernel, -|x - y|^2 / 2h^2, is the product of a row (z, -|z|^2 / 2, 1)
    and a row (z', 1, -|z'|^2 / 2), where z is the row over h, so a matrix product computes it.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
    center : ndarray of shape (d,)
        Origin of the products, near the rows, which keeps rounding errors small.
    bandwidth : float
    dtype : dtype or None
        None is float32 if there are so many pairs of rows that its rounding errors average out, and
        otherwise float64.
    """

    def __init__(self, rows: np.ndarray, center: np.ndarray, bandwidth: float, dtype: Any = None) -> None:
        if dtype is None:
            dtype = np.float32 if len(rows) ** 2 * rows.shape[1] > _SINGLE_VALUES else np.float64
        self.rows, self.center, self.bandwidth, self.dtype = rows, center, bandwidth, np.dtype(dtype)
        d = rows.shape[1]
        self.factors = np.empty((len(rows), d + 2), dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            np.subtract(rows, center, out=self.factors[:, :d], casting="same_kind")
            self.factors[:, :d] /= bandwidth * max(SCALES)
            half_norms = np.einsum("ij,ij->i", self.factors[:, :d], self.factors[:, :d]) / 2
        self.factors[:, d], self.factors[:, d + 1] = -half_norms, 1.0
        largest = float(half_norms.max(initial=0.0)) * (max(SCALES) / min(SCALES)) ** 2
        self.is_safe = bool(largest * np.finfo(dtype).eps <= _CANCELLATION[self.dtype])  # False for NaN, too

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, rows: np.ndarray) -> KernelRows:
        """Prepare other rows with the same center, bandwidth and type."""
        return KernelRows(rows, self.center, self.bandwidth, self.dtype)

    def column_sums(self, other: KernelRows) -> np.ndarray:
        """Return for each row of another sample the sum (m,) of its kernel with all n rows."""
        total = np.zeros(len(other))
        for columns in _slices(len(other), _BLOCK[1]):
            for rows in _slices(len(self), _BLOCK[0]):
                total[columns] += self._kernel(rows, other, columns).sum(axis=0)
        return total

    def self_sum(self, weight: np.ndarray) -> float:
        """Return the sum over all pairs of rows of the product of their weights and the kernel."""
        total, single = float(weight @ weight), weight.astype(self.dtype)
        for rows in _slices(len(self), _BLOCK[0]):
            # Pairs of different blocks count twice; those of one block appear in both orders.
            own = self._kernel(rows, self, rows)
            np.fill_diagonal(own, 0.0)
            total += float(weight[rows] @ (own @ single[rows]).astype(np.float64))
            for columns in _slices(len(self), _BLOCK[1], rows.stop):
                across = self._kernel(rows, self, columns) @ single[columns]
                total += 2 * float(weight[rows] @ across.astype(np.float64))
        return total

    def _kernel(self, rows: slice, other: KernelRows, columns: slice) -> np.ndarray:
        """Return the mean kernel of a block of pairs."""
        if self.is_safe and other.is_safe:
            right = other.factors[columns]
            swapped = np.concatenate([right[:, :-2], right[:, -1:], right[:, -2:-1]], axis=1)
            exponent = self.factors[rows] @ swapped.T
            np.minimum(exponent, 0.0, out=exponent)
        else:
            exponent = pairwise_squares(self.rows[rows], other.rows[columns])
            with np.errstate(over="ignore"):
                exponent = exponent / self.bandwidth / self.bandwidth / (-2 * max(SCALES) ** 2)
        # Each kernel is the fourth power of the next wider one: one exponential serves all.
        with np.errstate(under="ignore"):
            power = np.exp(exponent, out=exponent)
            total = power.copy()
            for _ in SCALES[1:]:
                power *= power
                power *= power
                total += power
        total /= len(SCALES)
        return np.asarray(total, dtype=self.dtype)


def _slices(n_rows: int, step: int, start: int = 0) -> list[slice]:
    return [slice(first, min(first + step, n_rows)) for first in range(start, n_rows, step)]
