"""Distances of rows to the nearest center so far, exact or as intervals, for greedy k-center."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from distillkit.neighbors._faiss import BLOCK_BYTES, origin_and_scale, to_float32

__all__ = ["Cover", "ExactCover", "ScreenedCover"]

_UNIT = 2.0**-24  # unit roundoff of float32: half the distance between 1 and the next float32
_WIDEST = 2**16  # number of columns beyond which the error bounds of float32 sums are too wide
_TINY = 2.0**-120  # bound for each column of what a product can lose to underflow in float32
_COLUMNS = 32  # number of picks whose products are computed at a time when picks are added again
_SHARE = 16  # one in this many of the n k distances may be recomputed in float64


class Cover(Protocol):
    """State of greedy k-center: the picks, and the distances of all rows to them.

    Attributes
    ----------
    picks : list of int
        Rows picked as centers so far.
    radii : list of float
        Distance of each pick but the first to the nearest of the picks before it.
    highest : ndarray of shape (n,)
        Upper bounds of the scaled squared distances of the rows to their nearest picks.
    """

    picks: list[int]
    radii: list[float]

    @property
    def highest(self) -> np.ndarray:
        """Upper bounds of squared distances; the values of picks are below all others."""

    def products(self, rows: np.ndarray) -> np.ndarray:
        """Compute the inner products of these rows with all rows, (len(rows), n)."""

    def add(self, row: int, products: np.ndarray) -> None:
        """Make a row the next pick, given its inner products (n,) with all rows."""

    def farthest(self) -> int | None:
        """Return the first of the rows farthest from the picks, or None if it cannot be decided."""

    def radius(self, row: int) -> float:
        """Return the distance of the farthest row to the nearest pick, in the units of X."""

    def owners(self) -> np.ndarray:
        """Return the nearest pick of each row, as a position in `picks`."""


class ExactCover:
    """Cover with distances in float64.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    picks : list of int or None
        Picks so far, whose distances to all rows are computed again.
    radii : list of float or None
        Radii of these picks.
    """

    def __init__(self, X: np.ndarray, picks: list[int] | None = None, radii: list[float] | None = None) -> None:
        origin, self.scale = origin_and_scale(X)
        self.X = np.subtract(X, origin, dtype=np.float64)
        self.X *= self.scale
        self.norms = np.einsum("ij,ij->i", self.X, self.X)
        self.rounding = rounding_of(X.shape[1])
        self.slack = self.rounding * self.norms
        # Add the picks again, several per matrix product.
        self.nearest = np.full(len(X), np.inf)
        self.labels = np.zeros(len(X), dtype=np.int64)
        self.picks: list[int] = []
        self.radii: list[float] = list(radii or ())
        for begin in range(0, len(picks or ()), _COLUMNS):
            block = np.array((picks or ())[begin : begin + _COLUMNS])
            for row, products in zip(block.tolist(), self.products(block), strict=True):
                self.add(row, products)

    @property
    def highest(self) -> np.ndarray:
        """Squared distances of the rows to their nearest picks; -1 for picks."""
        return self.nearest

    def products(self, rows: np.ndarray) -> np.ndarray:
        """Compute the inner products of these rows with all rows, (len(rows), n)."""
        products: np.ndarray = self.X[rows] @ self.X.T
        return products

    def add(self, row: int, products: np.ndarray) -> None:
        """Make a row the next pick, given its inner products (n,) with all rows.

        Rows that are as near to an earlier pick, up to rounding, stay with that pick.
        """
        distances = np.maximum(self.norms - 2 * products + self.norms[row], 0)
        nearer = distances * (1 + self.rounding) + self.slack < self.nearest
        self.nearest[nearer] = distances[nearer]
        self.labels[nearer] = len(self.picks)
        self.nearest[row], self.labels[row] = -1.0, len(self.picks)  # no row is picked twice
        self.picks.append(row)

    def farthest(self) -> int | None:
        """Return the first of the rows that are farthest from the picks, up to rounding."""
        return int(np.argmax(self.nearest * (1 + self.rounding) + self.slack >= self.nearest.max()))

    def radius(self, row: int) -> float:
        """Return the distance of a row to its nearest pick, in the units of X.

        It is computed from differences, which are accurate even where the products cancel.
        """
        return float(np.linalg.norm(self.X[row] - self.X[self.picks[self.labels[row]]])) / self.scale

    def owners(self) -> np.ndarray:
        """Return the nearest pick of each row, as a position in `picks`."""
        return self.labels


class ScreenedCover:
    """Cover with distances as intervals from float32 products.

    Decisions that the intervals leave open are made in float64, for the few rows concerned.

    An inner product of d terms, summed in any order, has an error of at most ``d u / (1 - d u)``
    times ``|x| |c|``, where u is the unit roundoff of float32. With the rounding of the rows and of
    the few other operations, the error of ``|x|^2 + |c|^2 - 2 x.c`` is at most
    ``(d + 16) u (|x|^2 + |c|^2)``.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    k : int
        Largest number of picks.

    Attributes
    ----------
    low, up : ndarray of shape (n,), float32
        Bounds of the scaled squared distance of each row to its nearest pick.
    in_doubt : ndarray of shape (n,), bool
        Whether the intervals leave open which pick is nearest to a row.
    n_measured, max_measured : int
        Number of distances recomputed in float64, and the number beyond which `farthest` gives up.

    References
    ----------
    Higham, "Accuracy and stability of numerical algorithms", section 3.1.
    """

    def __init__(self, X: np.ndarray, k: int) -> None:
        n, d = X.shape
        self.X = X
        self.origin, self.scale = origin_and_scale(X)
        # 1. Scale the rows to float32, and bound the rounding error of squared distances.
        self.scaled = to_float32(X, self.origin, self.scale)
        self.norms = np.einsum("ij,ij->i", self.scaled, self.scaled, dtype=np.float64).astype(np.float32)
        error = (d + 16) * _UNIT
        self.relative = np.float32(error / (1 - error))
        self.margin = self.norms * self.relative + np.float32(d * _TINY)
        # 2. Start without picks.
        self.low, self.up = np.full(n, np.inf, np.float32), np.full(n, np.inf, np.float32)
        self.labels = np.zeros(n, dtype=np.int64)
        self.in_doubt = np.zeros(n, dtype=bool)
        self.picks: list[int] = []
        self.radii: list[float] = []
        self.picked = np.empty((k, d))  # the picks in float64, and their squared norms
        self.picked_norms = np.empty(k)
        self.n_measured, self.max_measured = 0, n * k // _SHARE
        self.last_farthest: tuple[int, float] = (-1, 0.0)  # the row and its distance to the nearest pick

    @staticmethod
    def can_screen(X: np.ndarray) -> bool:
        """Tell whether X has few enough columns for useful error bounds in float32."""
        return int(X.shape[1]) <= _WIDEST

    @property
    def highest(self) -> np.ndarray:
        """Upper bounds of squared distances of rows to their nearest picks; -inf for picks."""
        return self.up

    def products(self, rows: np.ndarray) -> np.ndarray:
        """Compute the inner products of these rows with all rows, (len(rows), n)."""
        products: np.ndarray = self.scaled[rows] @ self.scaled.T
        return products

    def add(self, row: int, products: np.ndarray) -> None:
        """Make a row the next pick, given its inner products (n,) with all rows."""
        # 1. Compute intervals of the squared distances to the new pick.
        middle = self.norms - 2 * products
        middle += self.norms[row]
        margin = self.margin + self.margin[row]
        low, up = middle - margin, middle + margin
        # 2. A row changes to the new pick if that is surely nearer; if intervals overlap, it is in
        # doubt.
        nearer = up < self.low
        self.in_doubt |= low < self.up
        self.in_doubt[nearer] = False
        self.labels[nearer] = len(self.picks)
        np.minimum(self.low, low, out=self.low)
        np.minimum(self.up, up, out=self.up)
        self.low[row] = self.up[row] = -np.inf  # no row is picked twice
        self.labels[row], self.in_doubt[row] = len(self.picks), False
        # 3. Store the new pick in float64.
        exact = self._exact(np.array([row]))[0]
        self.picked[len(self.picks)], self.picked_norms[len(self.picks)] = exact, exact @ exact
        self.picks.append(row)

    def farthest(self) -> int | None:
        """Return the first of the rows that are farthest from the picks, up to rounding.

        The result is None if the intervals leave so many rows open that float64 throughout is
        cheaper.
        """
        # 1. Only rows whose upper bound reaches the largest lower bound can be the farthest.
        rows = np.flatnonzero(self.up >= self.low.max())
        self.n_measured += len(rows) * len(self.picks)
        if self.n_measured > self.max_measured + len(self.picks):
            return None
        # 2. Compare these rows in float64.
        points = self._exact(rows)
        norms = np.einsum("ij,ij->i", points, points)
        squared = self._squared(points, norms)
        nearest = squared.min(axis=1)
        rounding = rounding_of(points.shape[1])
        first = int(np.argmax(nearest * (1 + rounding) + rounding * norms >= nearest.max()))
        self.last_farthest = int(rows[first]), self._distance(points[first], int(squared[first].argmin()))
        return self.last_farthest[0]

    def radius(self, row: int) -> float:
        """Return the distance to the nearest pick of the row that `farthest` returned last."""
        assert row == self.last_farthest[0]
        return self.last_farthest[1]

    def owners(self) -> np.ndarray:
        """Return the nearest pick of each row, as a position in `picks`.

        Rows in doubt are settled in float64; among picks that are equally near up to rounding, the
        first is the nearest.
        """
        rounding = rounding_of(self.X.shape[1])
        rows = np.flatnonzero(self.in_doubt)
        step = max(1, BLOCK_BYTES // (8 * (len(self.picks) + self.X.shape[1])))
        for begin in range(0, len(rows), step):
            block = rows[begin : begin + step]
            points = self._exact(block)
            norms = np.einsum("ij,ij->i", points, points)
            squared = self._squared(points, norms)
            highest = squared.min(axis=1) * (1 + rounding) + rounding * norms
            self.labels[block] = np.argmax(squared <= highest[:, None], axis=1)
        return self.labels

    def _exact(self, rows: np.ndarray) -> np.ndarray:
        """Center and scale these rows in float64."""
        points: np.ndarray = np.subtract(self.X[rows], self.origin, dtype=np.float64)
        points *= self.scale
        return points

    def _squared(self, points: np.ndarray, norms: np.ndarray) -> np.ndarray:
        """Compute the squared distances (len(points), n_picks) of points to picks in float64."""
        n_picks = len(self.picks)
        squared = norms[:, None] + self.picked_norms[:n_picks] - 2 * (points @ self.picked[:n_picks].T)
        clipped: np.ndarray = np.maximum(squared, 0, out=squared)
        return clipped

    def _distance(self, point: np.ndarray, pick: int) -> float:
        """Compute the distance of a point to a pick from differences, in the units of X."""
        return float(np.linalg.norm(point - self.picked[pick])) / self.scale


def rounding_of(d: int) -> float:
    """Bound the rounding error of squared distances from float64 products of d terms.

    The error is at most the returned share of ``|x|^2 + |x - c|^2``.
    """
    return 8 * float(np.finfo(np.float64).eps) * float(np.sqrt(d))
