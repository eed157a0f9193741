"""The t nearest rows of each row by NumPy's products, each pair of rows taken once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distillkit.neighbors._threads import block_threads

__all__ = ["nearest_rows"]

_TILE = 2048  # rows on each side of a tile of products
_STRIP = 2**22  # products held at a time where whole rows of them are sorted
_DENSE = 8  # where more than one row in so many is a neighbour, whole rows of products are sorted


def nearest_rows(X: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the t nearest rows of each row, itself among them.

    Squared distances come from products ``x.y - |x|^2 / 2 - |y|^2 / 2`` of rows with two more columns. Where t is a small
    part of n, tiles of products above the diagonal serve the rows on both of their sides: half the work. Of a tile only what
    lies below a limit of its row is kept. The limit comes from a sample of 2,048 rows, and is set so high that few rows find
    less than t within it; these are searched again, without a limit.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32
        Centred. A row of the result depends on the others' order by rounding alone.
    t : int
        1 <= t < n.

    Returns
    -------
    distances : ndarray of shape (n, t), float32
    indices : ndarray of shape (n, t), int32
        In no order.

    Notes
    -----
    Time: 2 n^2 d operations, or half as many where ``8 t <= n``; memory beside the result a copy of X, up to two
    candidates of 8 bytes for each of the result's, and blocks of 16 MiB per thread.
    """
    n = len(X)
    order = np.random.RandomState(0).permutation(n)  # so that any rows are a sample, also of rows that come sorted
    search = _Search(_extended(X, order), t)
    with block_threads(n * n) as each:
        if t * _DENSE > n:
            search.whole(np.arange(n), each)
        else:
            search.below(search.limits(each), each)
            search.whole(np.array(search.lacking, dtype=np.intp), each)
    distances, indices = np.empty((n, t), dtype=np.float32), np.empty((n, t), dtype=np.int32)
    for begin in range(0, n, _TILE):
        part = slice(begin, begin + _TILE)
        distances[order[part]] = np.sqrt(search.squared[part])
        indices[order[part]] = order[search.found[part]]
    return distances, indices


def _extended(X: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Rows in this order with two more columns, (-|x|^2 / 2, 1)."""
    n, d = X.shape
    out = np.empty((n, d + 2), dtype=np.float32)
    for begin in range(0, n, _TILE):
        part = slice(begin, begin + _TILE)
        rows = X[order[part]]
        out[part, :d], out[part, d + 1] = rows, 1
        out[part, d] = -0.5 * np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    return out


class _Search:
    """Rows in random order, and what is found for them so far."""

    def __init__(self, rows: np.ndarray, t: int) -> None:
        self.rows, self.t = rows, t
        n = len(rows)
        self.squared = np.empty((n, t), dtype=np.float32)
        self.found = np.empty((n, t), dtype=np.int32)
        self.lacking: list[int] = []

    def products(self, which: Any, others: Any) -> np.ndarray:
        """Minus half the squared distances."""
        left = np.array(self.rows[which])
        left[:, -2:] = left[:, :-3:-1].copy()
        return np.asarray(left @ self.rows[others].T)

    def limits(self, each: Callable[..., Any]) -> np.ndarray:
        """What minus half the squared distance of a neighbour is likely not to be below, for each row."""
        n, sample = len(self.rows), min(_TILE, len(self.rows))
        expected = sample * self.t / n
        place = min(sample, int(expected + 2 * np.sqrt(expected)) + 2)

        def of_tile(begin: int) -> np.ndarray:
            made = self.products(slice(begin, begin + _TILE), slice(0, sample))
            made.partition(sample - place, axis=1)
            return made[:, sample - place].copy()

        return np.concatenate(list(each(of_tile, range(0, n, _TILE))))

    def below(self, limits: np.ndarray, each: Callable[..., Any]) -> None:
        """Keep the t nearest of what is within the limits."""
        begins = range(0, len(self.rows), _TILE)
        kept: dict[int, list[tuple[np.ndarray, ...]]] = {begin: [] for begin in begins}

        def of_tile(pair: tuple[int, int]) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...] | None]:
            first, second = (slice(begin, begin + _TILE) for begin in pair)
            made = self.products(first, second)
            if pair[0] == pair[1]:
                np.fill_diagonal(made, 1)  # nearer than any other
                return _within(made, limits[first], 0, pair[1]), None
            return _within(made, limits[first], 0, pair[1]), _within(made, limits[second], 1, pair[0])

        pairs = [(first, second) for first in begins for second in begins if second >= first]
        for (first, second), (down, across) in zip(pairs, each(of_tile, pairs), strict=True):
            kept[first].append(down)
            if across is not None:
                kept[second].append(across)
            if second == begins[-1]:
                self._keep(first, kept.pop(first))

    def _keep(self, begin: int, parts: Sequence[tuple[np.ndarray, ...]]) -> None:
        """Sort what was found for the rows of a tile, and keep the t nearest of each."""
        row, other, half = (np.concatenate(values) for values in zip(*parts, strict=True))
        squared = _squared(half)
        # positive floats sort as their bits do
        order = np.argsort(row.astype(np.int64) << 32 | squared.view(np.uint32), kind="stable")
        counts = np.bincount(row, minlength=min(_TILE, len(self.rows) - begin))
        enough = np.flatnonzero(counts >= self.t)
        take = order[(np.cumsum(counts) - counts)[enough, None] + np.arange(self.t)]
        self.squared[begin + enough], self.found[begin + enough] = squared[take], other[take]
        self.lacking += (begin + np.flatnonzero(counts < self.t)).tolist()

    def whole(self, which: np.ndarray, each: Callable[..., Any]) -> None:
        """Search these rows without a limit."""
        n = len(self.rows)
        step = max(1, _STRIP // n)

        def of_strip(begin: int) -> None:
            own = which[begin : begin + step]
            made = self.products(own, slice(None))
            made[np.arange(len(own)), own] = 1
            nearest = _largest(made, self.t)
            self.found[own] = np.flatnonzero(nearest).reshape(len(own), self.t) % n
            self.squared[own] = _squared(made[nearest].reshape(len(own), self.t))

        list(each(of_strip, range(0, len(which), step)))


def _largest(made: np.ndarray, t: int) -> np.ndarray:
    """Mark the t largest values of each row."""
    cut = made.shape[1] - t
    # several times faster than argpartition, which is left for rows where equals lie on both sides of the cut
    marked = np.asarray(made >= np.partition(made, cut, axis=1)[:, cut, None])
    for row in np.flatnonzero(np.count_nonzero(marked, axis=1) > t):
        marked[row] = False
        marked[row, np.argpartition(made[row], cut)[cut:]] = True
    return marked


def _squared(half: np.ndarray) -> np.ndarray:
    return np.maximum(half * np.float32(-2), np.float32(0))


def _within(made: np.ndarray, limits: np.ndarray, axis: int, other: int) -> tuple[np.ndarray, ...]:
    """Rows (of the axis that has limits), positions beside them, and values of what reaches the limit of its row."""
    flat = np.flatnonzero(made >= (limits[:, None] if axis == 0 else limits))
    row, column = np.divmod(flat.astype(np.int32), np.int32(made.shape[1]))
    values = made.ravel()[flat]
    if axis == 1:
        row, column = column, row
    return row.astype(np.int16), column + np.int32(other), values
