"""Rows with the distance to the nearest of the picks so far: exact, or as intervals from float32 products."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from distillkit.neighbors._faiss import BLOCK_BYTES, origin_and_scale, to_float32

__all__ = ["Cover", "ExactCover", "ScreenedCover"]

_UNIT = 2.0**-24  # half the distance between 1 and the next float32
_WIDEST = 2**16  # columns beyond which float32 sums tell too little
_TINY = 2.0**-120  # per column: what products may lose below the range of float32
_COLUMNS = 32  # products made at a time where picks are added again
_SHARE = 16  # of the n k distances, one in this many may be measured again in float64


class Cover(Protocol):
    """What picking needs: products with candidates, and which row is farthest.

    Attributes
    ----------
    picks : list of int
    radii : list of float
        One per pick but the first: its distance to the picks before it.
    highest : ndarray of shape (n,)
        No row's squared distance is above its value here.
    """

    picks: list[int]
    radii: list[float]

    @property
    def highest(self) -> np.ndarray:
        """Upper bounds of squared distances; below all others for picks."""

    def products(self, rows: np.ndarray) -> np.ndarray:
        """Inner products of these rows with all rows, (len(rows), n)."""

    def add(self, row: int, products: np.ndarray) -> None:
        """Make a row the next pick."""

    def farthest(self) -> int | None:
        """First of the rows that are farthest from the picks; None if that takes more than products."""

    def radius(self, row: int) -> float:
        """Distance of the farthest row to the picks, in the units of X."""

    def owners(self) -> np.ndarray:
        """Position in `picks` of the nearest one of each row."""


class ExactCover:
    """Distances in float64.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    picks : list of int
        Picks so far, whose distances to all rows are taken anew.
    radii : list of float
    """

    def __init__(self, X: np.ndarray, picks: list[int] | None = None, radii: list[float] | None = None) -> None:
        origin, self.scale = origin_and_scale(X)
        self.X = np.subtract(X, origin, dtype=np.float64)
        self.X *= self.scale
        self.norms = np.einsum("ij,ij->i", self.X, self.X)
        self.rounding = rounding_of(X.shape[1])
        self.slack = self.rounding * self.norms
        self.nearest = np.full(len(X), np.inf)
        self.labels = np.zeros(len(X), dtype=np.int64)
        self.picks: list[int] = []
        self.radii: list[float] = list(radii or ())
        for begin in range(0, len(picks or ()), _COLUMNS):
            some = np.array((picks or ())[begin : begin + _COLUMNS])
            for row, products in zip(some.tolist(), self.products(some), strict=True):
                self.add(row, products)

    @property
    def highest(self) -> np.ndarray:
        """Squared distances; -1 for picks."""
        return self.nearest

    def products(self, rows: np.ndarray) -> np.ndarray:
        """Inner products of these rows with all rows, (len(rows), n)."""
        found: np.ndarray = self.X[rows] @ self.X.T
        return found

    def add(self, row: int, products: np.ndarray) -> None:
        """Make a row the next pick; rows as near to an earlier pick, but for rounding, stay with that."""
        distances = np.maximum(self.norms - 2 * products + self.norms[row], 0)
        nearer = distances * (1 + self.rounding) + self.slack < self.nearest
        self.nearest[nearer] = distances[nearer]
        self.labels[nearer] = len(self.picks)
        self.nearest[row], self.labels[row] = -1.0, len(self.picks)  # so that a pick is never picked again
        self.picks.append(row)

    def farthest(self) -> int | None:
        """First of the rows that are farthest from the picks."""
        return int(np.argmax(self.nearest * (1 + self.rounding) + self.slack >= self.nearest.max()))

    def radius(self, row: int) -> float:
        """Distance of a row to its pick, by differences: exact where the products cancel."""
        return float(np.linalg.norm(self.X[row] - self.X[self.picks[self.labels[row]]])) / self.scale

    def owners(self) -> np.ndarray:
        """Position in `picks` of the nearest one of each row."""
        return self.labels


class ScreenedCover:
    """Intervals from float32 products, and float64 for the few rows that these leave open.

    A product of d terms, summed in whatever order, is off by at most ``d u / (1 - d u)`` times ``|x| |c|``, with u half
    the spacing of float32 at 1 (Higham, Accuracy and Stability, section 3.1). With the rounding of the rows and of
    the few other operations, ``|x|^2 + |c|^2 - 2 x.c`` is within ``(d + 16) u (|x|^2 + |c|^2)`` of the truth.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    k : int
        Picks to come at most.
    """

    def __init__(self, X: np.ndarray, k: int) -> None:
        n, d = X.shape
        self.X = X
        self.origin, self.scale = origin_and_scale(X)
        self.small = to_float32(X, self.origin, self.scale)
        self.norms = np.einsum("ij,ij->i", self.small, self.small, dtype=np.float64).astype(np.float32)
        error = (d + 16) * _UNIT
        self.relative = np.float32(error / (1 - error))
        self.margin = self.norms * self.relative + np.float32(d * _TINY)
        self.low, self.up = np.full(n, np.inf, np.float32), np.full(n, np.inf, np.float32)
        self.labels = np.zeros(n, dtype=np.int64)
        self.doubt = np.zeros(n, dtype=bool)  # which of two picks is nearer is left open
        self.picks: list[int] = []
        self.radii: list[float] = []
        self.picked = np.empty((k, d))  # rows of the picks in float64, and their squared norms
        self.picked_norms = np.empty(k)
        self.measured, self.allowed = 0, n * k // _SHARE
        self.last: tuple[int, float] = (-1, 0.0)

    @staticmethod
    def can_screen(X: np.ndarray) -> bool:
        """Tell whether float32 sums of so many columns tell anything."""
        return int(X.shape[1]) <= _WIDEST

    @property
    def highest(self) -> np.ndarray:
        """Upper bounds of squared distances; -inf for picks."""
        return self.up

    def products(self, rows: np.ndarray) -> np.ndarray:
        """Inner products of these rows with all rows, (len(rows), n)."""
        found: np.ndarray = self.small[rows] @ self.small.T
        return found

    def add(self, row: int, products: np.ndarray) -> None:
        """Make a row the next pick."""
        middle = self.norms - 2 * products
        middle += self.norms[row]
        margin = self.margin + self.margin[row]
        low, up = middle - margin, middle + margin
        nearer = up < self.low
        self.doubt |= low < self.up
        self.doubt[nearer] = False
        self.labels[nearer] = len(self.picks)
        np.minimum(self.low, low, out=self.low)
        np.minimum(self.up, up, out=self.up)
        self.low[row] = self.up[row] = -np.inf  # so that a pick is never picked again
        self.labels[row], self.doubt[row] = len(self.picks), False
        exact = self._exact(np.array([row]))[0]
        self.picked[len(self.picks)], self.picked_norms[len(self.picks)] = exact, exact @ exact
        self.picks.append(row)

    def farthest(self) -> int | None:
        """First of the rows that are farthest from the picks; None if too many are too close to call."""
        rows = np.flatnonzero(self.up >= self.low.max())
        self.measured += len(rows) * len(self.picks)
        if self.measured > self.allowed + len(self.picks):
            return None
        points = self._exact(rows)
        norms = np.einsum("ij,ij->i", points, points)
        squared = self._squared(points, norms)
        nearest = squared.min(axis=1)
        rounding = rounding_of(points.shape[1])
        first = int(np.argmax(nearest * (1 + rounding) + rounding * norms >= nearest.max()))
        self.last = int(rows[first]), self._distance(points[first], int(squared[first].argmin()))
        return self.last[0]

    def radius(self, row: int) -> float:
        """Distance of the row that `farthest` gave last, in the units of X."""
        assert row == self.last[0]
        return self.last[1]

    def owners(self) -> np.ndarray:
        """Position in `picks` of the nearest one of each row, the first of those that differ by rounding only."""
        rounding = rounding_of(self.X.shape[1])
        rows = np.flatnonzero(self.doubt)
        step = max(1, BLOCK_BYTES // (8 * (len(self.picks) + self.X.shape[1])))
        for begin in range(0, len(rows), step):
            some = rows[begin : begin + step]
            points = self._exact(some)
            norms = np.einsum("ij,ij->i", points, points)
            squared = self._squared(points, norms)
            highest = squared.min(axis=1) * (1 + rounding) + rounding * norms
            self.labels[some] = np.argmax(squared <= highest[:, None], axis=1)
        return self.labels

    def _exact(self, rows: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.subtract(self.X[rows], self.origin, dtype=np.float64)
        found *= self.scale
        return found

    def _squared(self, points: np.ndarray, norms: np.ndarray) -> np.ndarray:
        """Squared distances to the picks in float64, (len(points), picks)."""
        count = len(self.picks)
        found = norms[:, None] + self.picked_norms[:count] - 2 * (points @ self.picked[:count].T)
        positive: np.ndarray = np.maximum(found, 0, out=found)
        return positive

    def _distance(self, point: np.ndarray, place: int) -> float:
        """By differences: exact where the products cancel."""
        return float(np.linalg.norm(point - self.picked[place])) / self.scale


def rounding_of(d: int) -> float:
    """Part of ``|x|^2 + |x - c|^2`` by which a float64 squared distance from products may be off."""
    return 8 * float(np.finfo(np.float64).eps) * float(np.sqrt(d))
