"""Balls around training rows that reach to their k-th nearest other training row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from distillkit.distances._squared import pairwise_squares

__all__ = ["ROUNDING", "Neighborhoods", "squared_radii", "value_errors"]

ROUNDING = 1e-9
"""More than the relative rounding error of a distance in float64."""

_SPARE = 12  # nearest rows that are kept beyond the k-th, for references without some rows
_CANDIDATES = 8  # further rows among which the nearest ones are chosen in float32
_BLOCK_DISTANCES = 4_000_000
_SINGLE_VALUES = 4e9  # products of pairs and features beyond which candidates are found in float32
_SAFE_SQUARE = 1e24  # bound of squares for float32


@dataclass(frozen=True)
class Neighborhoods:
    """The nearest other rows of some rows of a class.

    Parameters
    ----------
    whole : ndarray of shape (n, d)
        All rows of the class.
    centers : ndarray of shape (b,)
        Positions of the rows at the centers of the balls.
    neighbors : ndarray of shape (b, q)
        Positions of their nearest other rows, from the nearest on.
    squares : ndarray of shape (b, q)
        Squared distances to these.
    """

    whole: np.ndarray
    centers: np.ndarray
    neighbors: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, whole: np.ndarray, centers: np.ndarray, k: int) -> Self:
        """Find the nearest rows."""
        q = min(k + _SPARE, len(whole) - 1)
        neighbors, squares = np.zeros((len(centers), q), dtype=np.intp), np.zeros((len(centers), q))
        step = max(1, _BLOCK_DISTANCES // len(whole))
        for start in range(0, len(centers) if q else 0, step):
            part = slice(start, start + step)
            neighbors[part], squares[part] = _nearest(whole, centers[part], q, len(centers))
        return cls(whole, centers, neighbors, squares)

    def squared_radii(self, removed: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return which balls remain (b,) and their squared radii, if some rows are left out.

        A ball whose row is left out does not remain. k is limited to the number of other rows; a
        single row has a ball of radius 0.
        """
        n_others = len(self.whole) - len(removed) - 1
        k = min(k, n_others)
        is_removed = np.zeros(len(self.whole), dtype=bool)
        is_removed[removed] = True
        remains = ~is_removed[self.centers]
        if k < 1:
            return remains, np.zeros(len(self.centers))
        # The k-th of the nearest rows that are not left out.
        count = np.cumsum(~is_removed[self.neighbors], axis=1)
        place = np.argmax(count >= k, axis=1)
        radii = self.squares[np.arange(len(place)), place]
        unknown = np.flatnonzero((count[:, -1] < k) & remains)
        if len(unknown):
            others = np.flatnonzero(~is_removed)
            radii[unknown] = squared_radii(self.whole[self.centers[unknown]], self.whole[others], k + 1)
        return remains, radii


def squared_radii(rows: np.ndarray, others: np.ndarray, k: int) -> np.ndarray:
    """Return the squared distances of rows to the k-th nearest of others, in float64."""
    radii = np.empty(len(rows))
    step = max(1, _BLOCK_DISTANCES // len(others))
    for start in range(0, len(rows), step):
        squares = pairwise_squares(rows[start : start + step], others)
        radii[start : start + step] = np.partition(squares, k - 1, axis=1)[:, k - 1]
    return radii


def value_errors(rows: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """Bound how far rounding moves copies of rows, such as those scaled and scaled back."""
    precision = max(np.finfo(values.dtype).eps for values in (rows, *others))
    return np.asarray(4 * precision * np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64)))


def _nearest(whole: np.ndarray, centers: np.ndarray, q: int, n_centers: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the q nearest other rows of some rows, with squared distances in float64."""
    rows = whole[centers]
    if len(whole) * n_centers * whole.shape[1] > _SINGLE_VALUES and whole.dtype == np.float32:
        # 1. Find candidates in float32, some more than needed, as rounding may change their order.
        n_candidates = min(q + _CANDIDATES, len(whole) - 1)
        squares = pairwise_squares(rows, whole, dtype=np.float32)
        if squares.max() < _SAFE_SQUARE:
            squares[np.arange(len(rows)), centers] = np.inf
            candidates = np.argpartition(squares, n_candidates - 1, axis=1)[:, :n_candidates]
            # 2. Compute their distances again in float64.
            differences = whole[candidates].astype(np.float64) - rows[:, None]
            exact = np.einsum("ijk,ijk->ij", differences, differences)
            order = np.argsort(exact, axis=1)[:, :q]
            return np.take_along_axis(candidates, order, axis=1), np.take_along_axis(exact, order, axis=1)
    squares = pairwise_squares(rows, whole)
    squares[np.arange(len(rows)), centers] = np.inf
    nearest = np.argpartition(squares, q - 1, axis=1)[:, :q]
    found = np.take_along_axis(squares, nearest, axis=1)
    order = np.argsort(found, axis=1)
    return np.take_along_axis(nearest, order, axis=1), np.take_along_axis(found, order, axis=1)
