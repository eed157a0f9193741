"""The k-means++ initialization, blocked so that one matrix product serves many draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._empty_clusters import squared_distances_to_centers
from distillkit.neighbors._faiss import as_rows, origin_and_scale, to_float32
from distillkit.neighbors._lazy_rows import LazyRows
from distillkit.neighbors._threads import block_threads

__all__ = ["KMeansStart", "draw_centers", "kmeans_plus_plus"]

_BLOCK = 64  # number of candidates that are drawn at a time
_ROWS = 4096  # number of rows whose products with the candidates one thread computes at a time


@dataclass(frozen=True, eq=False)
class KMeansStart:
    """Rows drawn as initial centers, the result of `kmeans_plus_plus`.

    Parameters
    ----------
    indices : ndarray of shape (k,), int64
        Positions of the drawn rows, all different.
    squared_distances : ndarray of shape (n,)
        Squared distance of each row to the nearest drawn row.
    labels : ndarray of shape (n,), int64
        Nearest drawn row of each row, as a position in `indices`.
    complete : bool
        False if `should_stop` ended the draws early. The missing rows were then drawn all at once,
        and `squared_distances` and `labels` do not take them into account.
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
    """Draw k rows as initial centers of k-means by the k-means++ method.

    Each row is drawn with a probability proportional to its (weighted) squared distance to the
    nearest row drawn before. Candidates are drawn in blocks, whose distances to all rows come from
    one matrix product. As the distances shrink while a block is used up, each candidate is accepted
    with the probability "current distance divided by distance when drawn" (rejection sampling), so
    the distribution is exactly that of drawing rows one by one.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Finite rows. They are centered, scaled and drawn in float32; the returned distances are
        float64.
    k : int
        Number of rows to draw, 1 <= k <= n.
    seed : int
        Seed of the draws.
    trials : int, default=1
        Number of candidates for each center, of which the one that lowers the sum of squared
        distances most is chosen; scikit-learn uses ``2 + log(k)``.
    weights : ndarray of shape (n,) or None
        Weights of the rows, not negative and not all zero; None gives equal weights.
    should_stop : callable or None
        Called between centers, once after each matrix product; drawing ends early if it returns
        True.

    Returns
    -------
    KMeansStart

    Raises
    ------
    DataError
        If k is out of range, or if X is not finite.

    Notes
    -----
    Time is O(n k d trials). Memory holds a float32 copy of X and 320 bytes per row.

    References
    ----------
    Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007; the trials
    per center ("greedy k-means++") are those of section 4 there.
    """
    X = as_rows(X)
    if not 1 <= k <= len(X):
        raise DataError(f"k={k} rows cannot be drawn from {len(X)}: give 1 <= k <= {len(X)}.")
    scaled = to_float32(X, *origin_and_scale(X))
    start = draw_centers(scaled, k, seed=seed, trials=trials, weights=weights, should_stop=should_stop)
    exact = squared_distances_to_centers(X, X[start.indices], start.labels)
    return replace(start, squared_distances=exact)


def draw_centers(
    X: np.ndarray,
    k: int,
    *,
    seed: int,
    trials: int,
    weights: np.ndarray | None,
    should_stop: Callable[[], bool] | None,
) -> KMeansStart:
    """Draw initial centers as `kmeans_plus_plus`, from centered rows and in their precision."""
    complete, blocks_asked = True, 0
    with block_threads(X.size) as map_blocks:
        draw = _Draw(X, weights, np.random.RandomState(seed), map_blocks)
        while len(draw.picks) < k and draw.mass.max() > 0:
            # Ask once per matrix product: a block of candidates may end in the middle of the trials
            # for one center, so compare the number of blocks.
            if should_stop is not None and draw.blocks > blocks_asked:
                blocks_asked = draw.blocks
                if should_stop():
                    complete = False
                    break
            draw.add_one(trials)
    indices = draw.fill(k)
    return KMeansStart(indices, draw.nearest, draw.labels, complete)


class _Draw:
    """State of the draws: the rows drawn so far, and a block of candidates with its products.

    Attributes
    ----------
    nearest : ndarray of shape (n,)
        Squared distance of each row to the nearest drawn row.
    mass : ndarray of shape (n,)
        Unnormalized probability of each row to be drawn next.
    candidates, mass_when_drawn : ndarray of shape (block,)
        Rows drawn for the current block, and their mass at that time.
    products : ndarray of shape (block, n)
        Inner products of the candidates with all rows.
    next_candidate : int
        Position in the block of the candidate to be tried next.
    blocks : int
        Number of blocks drawn so far.
    """

    def __init__(
        self, X: np.ndarray, weights: np.ndarray | None, rng: np.random.RandomState, map_blocks: Callable[..., Any]
    ) -> None:
        self.X, self.weights, self.rng, self.map_blocks = X, weights, rng, map_blocks
        self.norms = X.squared_norms() if isinstance(X, LazyRows) else np.einsum("ij,ij->i", X, X)
        self.nearest = np.full(len(X), np.inf, dtype=X.dtype)
        self.labels = np.zeros(len(X), dtype=np.int64)
        self.picks: list[int] = []
        self.mass = np.ones(len(X)) if weights is None else weights
        self.candidates, self.mass_when_drawn = np.empty(0, dtype=np.int64), np.empty(0)
        self.blocks = 0
        self.products, self.next_candidate = np.empty((0, len(X)), dtype=X.dtype), 0

    def needs_products(self) -> bool:
        """Tell whether all candidates of the block have been tried."""
        return self.next_candidate == len(self.candidates)

    def add_one(self, trials: int) -> None:
        """Draw candidates for the next center, and choose the one with the lowest cost."""
        first = not self.picks  # without distances, several trials for the first center would be equal
        # 1. Compute the sum of squared distances that each candidate would lead to.
        best = None
        for _ in range(1 if first else trials):
            row, products = self._next_candidate(1 if first else _BLOCK)
            distances = self.norms - 2 * products
            distances += self.norms[row]
            distances[row] = 0
            nearest = np.minimum(np.maximum(distances, 0, out=distances), self.nearest)
            cost = float(nearest.sum(dtype=np.float64) if self.weights is None else nearest @ self.weights)
            if best is None or cost < best[0]:
                best = cost, row, nearest
            del products  # it would keep the whole block in memory while the next one is computed
        assert best is not None  # there is at least one trial
        # 2. Add the best candidate, and update distances, labels and probabilities.
        _, row, nearest = best
        self.labels[nearest < self.nearest] = len(self.picks)
        self.nearest = nearest
        self.picks.append(row)
        self.mass = nearest if self.weights is None else nearest * self.weights

    def _next_candidate(self, block: int) -> tuple[int, np.ndarray]:
        """Return the next candidate that rejection sampling accepts, with its products."""
        while True:
            if self.needs_products():
                self._draw_block(block)
            position = self.next_candidate
            self.next_candidate += 1
            if self.rng.random_sample() * self.mass_when_drawn[position] < self.mass[self.candidates[position]]:
                return int(self.candidates[position]), self.products[position]

    def _draw_block(self, block: int) -> None:
        """Draw candidates by the current probabilities and compute their products with all rows."""
        self.blocks += 1
        # 1. Draw by inverting the cumulative distribution.
        total = np.cumsum(self.mass, dtype=np.float64)
        drawn = np.searchsorted(total, self.rng.random_sample(block) * total[-1], side="right")
        # Rounding can lead past the last row of positive probability.
        self.candidates = np.minimum(drawn, np.flatnonzero(self.mass)[-1])
        self.mass_when_drawn, self.next_candidate = np.array(self.mass[self.candidates]), 0
        # 2. Compute the products, in blocks of rows by threads.
        self.products = np.empty((block, len(self.X)), dtype=self.X.dtype)
        rows = self.X[self.candidates]

        def multiply_block(begin: int) -> None:
            part = slice(begin, begin + _ROWS)
            np.matmul(rows, self.X[part].T, out=self.products[:, part])

        list(self.map_blocks(multiply_block, range(0, len(self.X), _ROWS)))

    def fill(self, k: int) -> np.ndarray:
        """Return k rows: the drawn ones, and others in place of those that are missing.

        The missing rows are drawn at once by the current probabilities. Rows that equal drawn ones
        have the probability 0 and are added last.
        """
        missing = k - len(self.picks)
        free = np.ones(len(self.X), dtype=bool)
        free[self.picks] = False
        drawable = np.flatnonzero(free & (self.mass > 0))
        mass = self.mass[drawable].astype(np.float64)
        size = min(missing, len(drawable))
        extra = self.rng.choice(drawable, size=size, replace=False, p=mass / mass.sum()) if size else drawable[:0]
        free[extra] = False
        rest = np.flatnonzero(free)[: missing - size]
        return np.concatenate([np.array(self.picks, dtype=np.int64), extra, rest]).astype(np.int64)
