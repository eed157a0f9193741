"""k-means++: rows drawn by their squared distance to those drawn before, many per matrix product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._empty_clusters import squared_distances_to_centers
from distillkit.neighbors._faiss import as_rows, origin_and_scale, to_float32
from distillkit.neighbors._threads import block_threads

__all__ = ["KMeansStart", "draw_centres", "kmeans_plus_plus"]

_BLOCK = 64  # rows drawn, and columns computed, at a time
_ROWS = 4096  # products of these rows are computed at a time


@dataclass(frozen=True, eq=False)
class KMeansStart:
    """What `kmeans_plus_plus` drew.

    Parameters
    ----------
    indices : ndarray of shape (k,), int64
        Drawn rows, all different.
    squared_distances : ndarray of shape (n,)
        Of each row to the nearest drawn one.
    labels : ndarray of shape (n,), int64
        Which drawn row (position in `indices`) that is.
    complete : bool
        False if `should_stop` ended it: the rows still lacking were then drawn at once, and neither
        `squared_distances` nor `labels` know of them.
    """

    indices: np.ndarray
    squared_distances: np.ndarray
    labels: np.ndarray
    complete: bool


def kmeans_plus_plus(
    X: np.ndarray,
    k: int,
    *,
    seed: int,
    trials: int = 1,
    weights: np.ndarray | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> KMeansStart:
    """Draw k rows, each with a probability proportional to its (weighted) squared distance to those before it.

    A row that was drawn by older, larger distances and is then kept with probability "distance now over distance
    then" is drawn by the distances of now (rejection sampling). So rows are drawn in blocks, whose distances to all rows
    come from one matrix product, and the distribution is exactly that of the one-by-one loop.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Finite. Drawing takes place in float32, centred and scaled; the distances that come back are float64.
    k : int
        1 <= k <= n.
    seed : int
    trials : int
        Rows drawn for each place, of which the one that lowers the sum of squared distances most is kept;
        scikit-learn takes ``2 + log(k)``.
    weights : ndarray of shape (n,) or None
        Not negative, not all zero.
    should_stop : callable or None
        Asked between places, once after each matrix product.

    Returns
    -------
    KMeansStart

    Raises
    ------
    DataError
        If k is out of range, or rows are not finite.

    Notes
    -----
    Time O(n k d trials); memory a float32 copy of X and 320 bytes per row. Arthur and Vassilvitskii, SODA 2007; the
    trials are those of section 4 there ("greedy k-means++").
    """
    X = as_rows(X)
    if not 1 <= k <= len(X):
        raise DataError(f"k={k} rows cannot be drawn from {len(X)}: give 1 <= k <= {len(X)}.")
    small = to_float32(X, *origin_and_scale(X))
    found = draw_centres(small, k, seed=seed, trials=trials, weights=weights, should_stop=should_stop)
    exact = squared_distances_to_centers(X, X[found.indices], found.labels)
    return replace(found, squared_distances=exact)


def draw_centres(
    X: np.ndarray,
    k: int,
    *,
    seed: int,
    trials: int,
    weights: np.ndarray | None,
    should_stop: Callable[[], bool] | None,
) -> KMeansStart:
    """Do as `kmeans_plus_plus`, with rows that are centred already, in their own precision."""
    complete, asked = True, 0
    with block_threads(X.size) as each:
        draw = _Draw(X, weights, np.random.RandomState(seed), each)
        while len(draw.picks) < k and draw.mass.max() > 0:
            # the trials of one place may end in the middle of a block: what counts is that there was another product
            if should_stop is not None and draw.blocks > asked:
                asked = draw.blocks
                if should_stop():
                    complete = False
                    break
            draw.add_one(trials)
    indices = draw.fill(k)
    return KMeansStart(indices, draw.nearest, draw.labels, complete)


class _Draw:
    """Rows drawn so far, the distances to them, and a block of candidates with its products."""

    def __init__(
        self, X: np.ndarray, weights: np.ndarray | None, rng: np.random.RandomState, each: Callable[..., Any]
    ) -> None:
        self.X, self.weights, self.rng, self.each = X, weights, rng, each
        self.norms = np.einsum("ij,ij->i", X, X)
        self.nearest = np.full(len(X), np.inf, dtype=X.dtype)
        self.labels = np.zeros(len(X), dtype=np.int64)
        self.picks: list[int] = []
        self.mass = np.ones(len(X)) if weights is None else weights  # by which the next row is drawn
        self.candidates, self.then = np.empty(0, dtype=np.int64), np.empty(0)
        self.blocks = 0
        self.products, self.place = np.empty((0, len(X)), dtype=X.dtype), 0

    def needs_products(self) -> bool:
        return self.place == len(self.candidates)

    def add_one(self, trials: int) -> None:
        """Draw the trials for the next place and keep the best of them."""
        first = not self.picks  # no distances yet by which trials could differ
        tried = [self._next_candidate(1 if first else _BLOCK) for _ in range(1 if first else trials)]
        best = None
        for row, products in tried:
            distances = self.norms - 2 * products
            distances += self.norms[row]
            distances[row] = 0
            nearest = np.minimum(np.maximum(distances, 0, out=distances), self.nearest)
            cost = float(nearest.sum(dtype=np.float64) if self.weights is None else nearest @ self.weights)
            if best is None or cost < best[0]:
                best = cost, row, nearest
        assert best is not None  # there is at least one trial
        _, row, nearest = best
        self.labels[nearest < self.nearest] = len(self.picks)
        self.nearest = nearest
        self.picks.append(row)
        self.mass = nearest if self.weights is None else nearest * self.weights

    def _next_candidate(self, block: int) -> tuple[int, np.ndarray]:
        """Next row drawn by the distances of now, with its products."""
        while True:
            if self.needs_products():
                self._draw_block(block)
            place = self.place
            self.place += 1
            if self.rng.random_sample() * self.then[place] < self.mass[self.candidates[place]]:
                return int(self.candidates[place]), self.products[place]

    def _draw_block(self, block: int) -> None:
        self.blocks += 1
        total = np.cumsum(self.mass, dtype=np.float64)
        drawn = np.searchsorted(total, self.rng.random_sample(block) * total[-1], side="right")
        # rounding may point past the last row that has mass
        self.candidates = np.minimum(drawn, np.flatnonzero(self.mass)[-1])
        self.then, self.place = np.array(self.mass[self.candidates]), 0
        self.products = np.empty((block, len(self.X)), dtype=self.X.dtype)
        rows = self.X[self.candidates]

        def of_block(begin: int) -> None:
            part = slice(begin, begin + _ROWS)
            np.matmul(rows, self.X[part].T, out=self.products[:, part])

        list(self.each(of_block, range(0, len(self.X), _ROWS)))

    def fill(self, k: int) -> np.ndarray:
        """Picks with what is lacking: other rows drawn at once, those equal to picks last."""
        lacking = k - len(self.picks)
        free = np.ones(len(self.X), dtype=bool)
        free[self.picks] = False
        far = np.flatnonzero(free & (self.mass > 0))
        chance = self.mass[far].astype(np.float64)
        size = min(lacking, len(far))
        more = self.rng.choice(far, size=size, replace=False, p=chance / chance.sum()) if size else far[:0]
        free[more] = False
        rest = np.flatnonzero(free)[: lacking - size]
        return np.concatenate([np.array(self.picks, dtype=np.int64), more, rest]).astype(np.int64)
