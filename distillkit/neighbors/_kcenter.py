"""Greedy k-center, exact and blocked: one matrix product serves many picks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._empty_clusters import squared_distances_to_centers
from distillkit.neighbors._faiss import as_rows
from distillkit.neighbors._k_center_cover import Cover, ExactCover, ScreenedCover

__all__ = ["KCenterResult", "greedy_k_center"]


@dataclass(frozen=True, eq=False)
class KCenterResult:
    """What `greedy_k_center` picked.

    Parameters
    ----------
    indices : ndarray of shape (k,), int64
        Picked rows, all different, in the order of picking: each prefix is the pick for a smaller k.
    radii : ndarray of shape (k,), float64
        ``radii[i]`` is the largest distance of a row to the nearest of the first i + 1 picks.
    labels : ndarray of shape (n,), int64
        Which pick (position in `indices`) is nearest to each row, the earlier one of equals; a pick owns itself.
    complete : bool
        Whether all picks were made greedily; False if `should_stop` ended it. Then the rows still lacking are those
        that were farthest from the picks, `radii` are upper bounds, and such a row owns only itself.
    backend : str
        What computed the distances: "numpy".
    """

    indices: np.ndarray
    radii: np.ndarray
    labels: np.ndarray
    complete: bool
    backend: str = "numpy"


def greedy_k_center(
    X: np.ndarray, k: int, *, start: int, should_stop: Callable[[], bool] | None = None, block: int = 64
) -> KCenterResult:
    """Pick k rows, each the farthest from those before it: a 2-approximation of the smallest covering radius.

    The textbook loop reads all rows once per pick. Here the inner products of all rows with the `block` rows that are
    now farthest come from one matrix product, and picking goes on as long as the farthest row is among these: the
    picks are those of the plain loop, with many times fewer passes over the rows.

    The products are float32, each distance an interval that rounding cannot leave; where intervals leave open which
    row is farthest, those rows are compared in float64. Picks, radii and owners are therefore those of float64. Rows
    whose float64 distances differ by rounding only count as equally far, and the first of them is picked, so that
    neither the block nor the number of threads changes the picks. Where very many rows are that close to each
    other (a grid, say), the products are made in float64 from then on.

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
    Memory: a centred float32 copy of X and the products, ``4 n (d + block + 10)`` bytes; twice that where rows are
    too close for float32. Time O(n k d), with O(n k d / picks per product) of reading. Gonzalez, Theoretical Computer
    Science 38, 1985.
    """
    X = as_rows(X)
    if not 1 <= k <= len(X):
        raise DataError(f"k={k} rows cannot be picked from {len(X)}: give 1 <= k <= {len(X)}.")
    if not 0 <= start < len(X):
        raise DataError(f"start={start} is no row of X: give 0 <= start < {len(X)}.")
    if block < 1:
        raise DataError(f"block={block} must be at least 1.")
    cover: Cover = ScreenedCover(X, k) if ScreenedCover.can_screen(X) else ExactCover(X)
    cover.add(start, cover.products(np.array([start]))[0])
    complete = True
    while complete and len(cover.picks) < k:
        if should_stop is not None and should_stop():
            complete = False
        elif not _extend(cover, k, block):
            cover = ExactCover(X, cover.picks, cover.radii)
    return _result(X, k, cover, complete=complete)


def _extend(cover: Cover, k: int, block: int) -> bool:
    """Pick on with one matrix product, at least one row; return False where the cover cannot tell which."""
    row = cover.farthest()
    if row is None:
        return False
    likely = np.argpartition(cover.highest, -min(block, len(cover.highest)))[-block:]
    candidates = np.unique(np.append(likely[1:] if row not in likely else likely, row))
    columns = dict(zip(candidates.tolist(), cover.products(candidates), strict=True))
    while row is not None and row in columns:
        cover.radii.append(cover.radius(row))
        cover.add(row, columns[row])
        if len(cover.picks) == k:
            break
        row = cover.farthest()
    return row is not None


def _result(X: np.ndarray, k: int, cover: Cover, *, complete: bool) -> KCenterResult:
    """Settle owners, measure the last radius by differences, and fill up where picking was cut short."""
    picks, radii, labels = list(cover.picks), list(cover.radii), cover.owners()
    squared = squared_distances_to_centers(X, X[picks], labels)
    if not complete:
        squared[picks] = -1.0
        lacking = np.argsort(-squared, kind="stable")[: k - len(picks)]
        radii += np.sqrt(squared[lacking]).tolist()
        squared[lacking], labels[lacking] = 0.0, np.arange(len(picks), k)
        picks += lacking.tolist()
    radii.append(float(np.sqrt(max(squared.max(), 0.0))))
    return KCenterResult(np.array(picks, dtype=np.int64), np.array(radii), labels, complete)
