"""Greedy k-center, exact and blocked: one matrix product serves many picks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._empty import squared_distances_to_owner
from distillkit.neighbors._faiss import as_rows, origin_and_scale

__all__ = ["KCenterResult", "greedy_k_center"]

_PICKED = -1.0  # below every squared distance, so that a pick is never picked again


@dataclass(frozen=True, eq=False)
class KCenterResult:
    """What `greedy_k_center` picked.

    Parameters
    ----------
    indices : ndarray of shape (k,), int64
        Picked rows, all different, in the order of picking: each prefix is the pick for a smaller k.
    radii : ndarray of shape (k,), float64
        ``radii[i]`` is the largest distance of a row to the nearest of the first i + 1 picks.
    owner : ndarray of shape (n,), int64
        Which pick (position in `indices`) is nearest to each row, the earlier one of equals; a pick owns itself.
    complete : bool
        Whether all picks were made greedily; False if `should_stop` ended it. Then the rows still lacking are those
        that were farthest from the picks, `radii` are upper bounds, and such a row owns only itself.
    """

    indices: np.ndarray
    radii: np.ndarray
    owner: np.ndarray
    complete: bool


def greedy_k_center(
    X: np.ndarray, k: int, *, start: int, should_stop: Callable[[], bool] | None = None, block: int = 32
) -> KCenterResult:
    """Pick k rows, each the farthest from those before it: a 2-approximation of the smallest covering radius.

    The textbook loop reads all rows once per pick. Here the distances of all rows to the `block` rows that are now
    farthest come from one matrix product, and picking goes on as long as the farthest row is among these: the picks
    are those of the plain loop, with several times fewer passes over the rows. Distances are float64; rows whose
    distances differ by rounding only count as equally far, and the first of them is picked, so that neither the
    block nor the number of threads changes the picks.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Finite.
    k : int
        Rows to pick, 1 <= k <= n.
    start : int
        Position of the first pick.
    should_stop : callable or None
        Asked before each matrix product; see `KCenterResult.complete`.
    block : int
        Columns per matrix product; 1 is the plain loop.

    Returns
    -------
    KCenterResult

    Raises
    ------
    DataError
        If k, `start` or `block` is out of range, or rows are not finite.

    Notes
    -----
    Memory: a centred float64 copy of X and `block` + 5 columns, ``8 n (d + block + 5)`` bytes. Time O(n k d), with
    O(n k d / picks per product) of reading. Gonzalez, Theoretical Computer Science 38, 1985.
    """
    X = as_rows(X)
    if not 1 <= k <= len(X):
        raise DataError(f"k={k} rows cannot be picked from {len(X)}: give 1 <= k <= {len(X)}.")
    if not 0 <= start < len(X):
        raise DataError(f"start={start} is no row of X: give 0 <= start < {len(X)}.")
    if block < 1:
        raise DataError(f"block={block} must be at least 1.")
    cover = _Cover(X)
    cover.add(start, cover.distances(np.array([start]))[0])
    complete = True
    while complete and len(cover.picks) < k:
        if should_stop is not None and should_stop():
            complete = False
            cover.fill(k)
        else:
            _extend(cover, k, block)
    indices = np.array(cover.picks, dtype=np.int64)
    final = squared_distances_to_owner(X, X[indices], cover.owner).max()
    return KCenterResult(indices, np.array([*cover.radii, np.sqrt(final)]), cover.owner, complete)


def _extend(cover: _Cover, k: int, block: int) -> None:
    """Pick on with the distances of one matrix product, at least one row."""
    row = cover.farthest()
    likely = np.argpartition(cover.nearest, -min(block, len(cover.nearest)))[-block:]
    candidates = np.unique(np.append(likely[1:] if row not in likely else likely, row))
    columns = dict(zip(candidates.tolist(), cover.distances(candidates), strict=True))
    while row in columns and len(cover.picks) < k:
        cover.radii.append(cover.radius(row))
        cover.add(row, columns[row])
        row = cover.farthest()


class _Cover:
    """Rows with their squared distance to the nearest pick so far."""

    def __init__(self, X: np.ndarray) -> None:
        origin, self.scale = origin_and_scale(X)
        self.X = np.subtract(X, origin, dtype=np.float64)
        self.X *= self.scale
        self.norms = np.einsum("ij,ij->i", self.X, self.X)
        # |x|^2 + |c|^2 - 2 x.c, summed over d products in whatever order, may be off by this part of |x|^2 + |x - c|^2
        self.rounding = 8 * np.finfo(np.float64).eps * float(np.sqrt(X.shape[1]))
        self.slack = self.rounding * self.norms
        self.nearest = np.full(len(X), np.inf)
        self.owner = np.zeros(len(X), dtype=np.int64)
        self.picks: list[int] = []
        self.radii: list[float] = []

    def distances(self, rows: np.ndarray) -> np.ndarray:
        """Squared distances of all rows to these, (len(rows), n)."""
        out: np.ndarray = self.X[rows] @ self.X.T
        out *= -2
        out += self.norms
        out += self.norms[rows, None]
        np.maximum(out, 0, out=out)
        return out

    def add(self, row: int, distances: np.ndarray) -> None:
        """Make a row the next pick; rows as near to an earlier pick, but for rounding, stay with that."""
        nearer = distances * (1 + self.rounding) + self.slack < self.nearest
        self.nearest[nearer] = distances[nearer]
        self.owner[nearer] = len(self.picks)
        self.nearest[row], self.owner[row] = _PICKED, len(self.picks)
        self.picks.append(row)

    def farthest(self) -> int:
        """First of the rows that are farthest from the picks."""
        return int(np.argmax(self.nearest * (1 + self.rounding) + self.slack >= self.nearest.max()))

    def radius(self, row: int) -> float:
        """Distance of a row to its pick, by differences: exact where the formula above cancels."""
        return float(np.linalg.norm(self.X[row] - self.X[self.picks[self.owner[row]]])) / self.scale

    def fill(self, k: int) -> None:
        """Take the rows farthest from the picks, as far as known, without measuring distances to them."""
        lacking = np.argsort(-self.nearest, kind="stable")[: k - len(self.picks)]
        self.radii += [self.radius(row) for row in lacking]
        self.nearest[lacking], self.owner[lacking] = _PICKED, np.arange(len(self.picks), k)
        self.picks += lacking.tolist()
