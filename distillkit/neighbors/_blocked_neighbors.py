"""Nearest neighbors of each row within one sample, by blocked matrix products in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distillkit.neighbors._threads import block_threads

__all__ = ["nearest_rows"]

_TILE = 2048  # number of rows on each side of a tile of products
_STRIP = 2**22  # number of products in memory at a time when each row is compared with all rows
_DENSE = 8  # compare each row with all rows if more than one row in this many is a neighbor


def nearest_rows(X: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the t nearest neighbors of each row, the row itself included.

    Rows are ranked by the score ``x.y - |x|^2 / 2 - |y|^2 / 2``, which is minus half the squared
    distance and comes from one matrix product of rows with two extra columns.

    If t is a small part of n, the score matrix is computed in tiles on and above the diagonal, and
    each tile serves the rows of both of its sides, which halves the work. Only the scores of a tile
    that reach a threshold of their row are stored. The thresholds are estimated from a sample of
    2,048 rows, low enough that nearly all rows find at least t neighbors; the few others are
    compared with all rows again.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32
        Centered rows. The order of the rows changes the result by rounding only.
    t : int
        Number of neighbors, 1 <= t < n.

    Returns
    -------
    distances : ndarray of shape (n, t), float32
    indices : ndarray of shape (n, t), int32
        The neighbors of each row, in no particular order.

    Notes
    -----
    Time is 2 n^2 d operations, or half of that if ``8 t <= n``. Besides the result, memory holds a
    copy of X, up to two candidates of 8 bytes for each neighbor, and blocks of 16 MiB per thread.
    """
    n = len(X)
    # 1. Shuffle the rows: any block of them is then a random sample, even if X is sorted.
    order = np.random.RandomState(0).permutation(n)
    search = _Search(_extended(X, order), t)
    # 2. Search in tiles with thresholds if neighbors are few, or compare all pairs of rows.
    with block_threads(n * n) as map_blocks:
        if t * _DENSE > n:
            search.exhaustive(np.arange(n), map_blocks)
        else:
            search.within_thresholds(search.thresholds(map_blocks), map_blocks)
            search.exhaustive(np.array(search.incomplete, dtype=np.intp), map_blocks)
    # 3. Translate positions of shuffled rows back to those of X.
    distances, indices = np.empty((n, t), dtype=np.float32), np.empty((n, t), dtype=np.int32)
    for begin in range(0, n, _TILE):
        part = slice(begin, begin + _TILE)
        distances[order[part]] = np.sqrt(search.squared[part])
        indices[order[part]] = order[search.indices[part]]
    return distances, indices


def _extended(X: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Reorder rows and append the two columns (-|x|^2 / 2, 1)."""
    n, d = X.shape
    extended = np.empty((n, d + 2), dtype=np.float32)
    for begin in range(0, n, _TILE):
        part = slice(begin, begin + _TILE)
        rows = X[order[part]]
        extended[part, :d], extended[part, d + 1] = rows, 1
        extended[part, d] = -0.5 * np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    return extended


class _Search:
    """State of a search: the shuffled rows, and the neighbors that are known so far.

    Attributes
    ----------
    rows : ndarray of shape (n, d + 2), float32
        From `_extended`.
    squared : ndarray of shape (n, t), float32
        Squared distances to the neighbors.
    indices : ndarray of shape (n, t), int32
        Positions of the neighbors in `rows`.
    incomplete : list of int
        Rows with fewer than t scores above their threshold.
    """

    def __init__(self, rows: np.ndarray, t: int) -> None:
        self.rows, self.t = rows, t
        n = len(rows)
        self.squared = np.empty((n, t), dtype=np.float32)
        self.indices = np.empty((n, t), dtype=np.int32)
        self.incomplete: list[int] = []

    def scores(self, left: Any, right: Any) -> np.ndarray:
        """Compute minus half the squared distances between two selections of rows."""
        left_rows = np.array(self.rows[left])
        # With the two extra columns of the left rows swapped, the product adds both norm terms.
        left_rows[:, -2:] = left_rows[:, :-3:-1].copy()
        return np.asarray(left_rows @ self.rows[right].T)

    def thresholds(self, map_blocks: Callable[..., Any]) -> np.ndarray:
        """Estimate for each row a score that its t nearest neighbors are likely to reach."""
        n, sample_size = len(self.rows), min(_TILE, len(self.rows))
        # The sample holds about t sample_size / n of the neighbors; a margin of two standard
        # deviations (of a Poisson count) keeps rows with too few candidates rare.
        expected = sample_size * self.t / n
        rank = min(sample_size, int(expected + 2 * np.sqrt(expected)) + 2)

        def tile_thresholds(begin: int) -> np.ndarray:
            scores = self.scores(slice(begin, begin + _TILE), slice(0, sample_size))
            scores.partition(sample_size - rank, axis=1)
            return scores[:, sample_size - rank].copy()

        return np.concatenate(list(map_blocks(tile_thresholds, range(0, n, _TILE))))

    def within_thresholds(self, thresholds: np.ndarray, map_blocks: Callable[..., Any]) -> None:
        """Find the t nearest neighbors of each row among the scores that reach its threshold."""
        begins = range(0, len(self.rows), _TILE)
        candidates: dict[int, list[tuple[np.ndarray, ...]]] = {begin: [] for begin in begins}

        def tile_candidates(pair: tuple[int, int]) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...] | None]:
            first, second = (slice(begin, begin + _TILE) for begin in pair)
            scores = self.scores(first, second)
            if pair[0] == pair[1]:
                np.fill_diagonal(scores, 1)  # above all other scores: the row itself is always included
                return _reaching(scores, thresholds[first], 0, pair[1]), None
            return _reaching(scores, thresholds[first], 0, pair[1]), _reaching(scores, thresholds[second], 1, pair[0])

        # Collect the candidates from tiles on and above the diagonal. The last tile of a row of
        # tiles completes the candidates of the rows on its left side, which are then reduced to t
        # each.
        pairs = [(first, second) for first in begins for second in begins if second >= first]
        for (first, second), (of_first, of_second) in zip(pairs, map_blocks(tile_candidates, pairs), strict=True):
            candidates[first].append(of_first)
            if of_second is not None:
                candidates[second].append(of_second)
            if second == begins[-1]:
                self._select(first, candidates.pop(first))

    def _select(self, begin: int, parts: Sequence[tuple[np.ndarray, ...]]) -> None:
        """Sort the candidates of the rows of a tile, and store the t nearest of each row."""
        row, other, scores = (np.concatenate(values) for values in zip(*parts, strict=True))
        squared = _squared(scores)
        # Sort by row and then by distance in one integer key: the bits of floats that are not
        # negative have the same order as their values.
        order = np.argsort(row.astype(np.int64) << 32 | squared.view(np.uint32), kind="stable")
        counts = np.bincount(row, minlength=min(_TILE, len(self.rows) - begin))
        complete = np.flatnonzero(counts >= self.t)
        nearest = order[(np.cumsum(counts) - counts)[complete, None] + np.arange(self.t)]
        self.squared[begin + complete], self.indices[begin + complete] = squared[nearest], other[nearest]
        self.incomplete += (begin + np.flatnonzero(counts < self.t)).tolist()

    def exhaustive(self, queries: np.ndarray, map_blocks: Callable[..., Any]) -> None:
        """Find the t nearest neighbors of these rows by comparing them with all rows."""
        n = len(self.rows)
        step = max(1, _STRIP // n)

        def search_strip(begin: int) -> None:
            strip = queries[begin : begin + step]
            scores = self.scores(strip, slice(None))
            scores[np.arange(len(strip)), strip] = 1  # the row itself is always included
            nearest = _largest(scores, self.t)
            self.indices[strip] = np.flatnonzero(nearest).reshape(len(strip), self.t) % n
            self.squared[strip] = _squared(scores[nearest].reshape(len(strip), self.t))

        list(map_blocks(search_strip, range(0, len(queries), step)))


def _largest(scores: np.ndarray, t: int) -> np.ndarray:
    """Mark the t largest values of each row."""
    cut = scores.shape[1] - t
    # Comparing with the t-th largest value is much faster than argpartition, but marks too many
    # values where several equal the t-th; only these rows go through argpartition.
    marked = np.asarray(scores >= np.partition(scores, cut, axis=1)[:, cut, None])
    for row in np.flatnonzero(np.count_nonzero(marked, axis=1) > t):
        marked[row] = False
        marked[row, np.argpartition(scores[row], cut)[cut:]] = True
    return marked


def _squared(scores: np.ndarray) -> np.ndarray:
    """Convert scores to squared distances, with negative rounding errors set to 0."""
    return np.maximum(scores * np.float32(-2), np.float32(0))


def _reaching(scores: np.ndarray, thresholds: np.ndarray, axis: int, offset: int) -> tuple[np.ndarray, ...]:
    """Return the scores of a tile that reach the threshold of their row.

    The rows with thresholds lie on `axis`; `offset` is the position of the first row on the other
    axis. The result holds positions within the tile, positions of the other rows, and scores.
    """
    flat = np.flatnonzero(scores >= (thresholds[:, None] if axis == 0 else thresholds))
    row, column = np.divmod(flat.astype(np.int32), np.int32(scores.shape[1]))
    values = scores.ravel()[flat]
    if axis == 1:
        row, column = column, row
    return row.astype(np.int16), column + np.int32(offset), values
