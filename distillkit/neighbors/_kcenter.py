"""Exact greedy k-center, blocked so that one matrix product serves many picks."""

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
    """Centers picked by `greedy_k_center`.

    Parameters
    ----------
    indices : ndarray of shape (k,), int64
        Positions of the picked rows, all different, in the order of picking. Each prefix is the
        result for a smaller k.
    radii : ndarray of shape (k,), float64
        ``radii[i]`` is the largest distance of a row to the nearest of the first i + 1 picks.
    labels : ndarray of shape (n,), int64
        Nearest pick of each row, as a position in `indices`; the earlier one of equally near picks.
        The nearest pick of a pick is itself.
    complete : bool
        Whether all picks were made greedily. False if `should_stop` ended the picking early. The
        missing picks are then the rows that were farthest from the picks so far; each of them is
        the nearest pick of itself only, and `radii` are upper bounds.
    backend : str, default="numpy"
        The library that computed the distances, always "numpy".
    """

    indices: np.ndarray
    radii: np.ndarray
    labels: np.ndarray
    complete: bool
    backend: str = "numpy"


def greedy_k_center(
    X: np.ndarray, k: int, *, start: int, should_stop: Callable[[], bool] | None = None, block: int = 64
) -> KCenterResult:
    """Pick k centers by farthest-point traversal (greedy k-center).

    The covering radius is at most twice the smallest possible one. Each pick is the row that is
    farthest from the picks before it. The textbook loop reads all rows once per pick. Here one
    matrix product computes the inner products of all rows with the `block` rows that are currently
    farthest, and picking continues as long as the farthest row is among these. The picks are those
    of the textbook loop, with far fewer passes over the rows.

    The products are computed in float32, and each distance is represented by an interval that
    accounts for rounding. Where the intervals leave open which row is farthest, the rows in
    question are compared in float64, so picks, radii and labels are those of float64. Rows whose
    float64 distances differ only by rounding count as equally far, and the first of them is picked;
    therefore neither `block` nor the number of threads changes the picks. If very many rows are
    equally far, as on a grid, all further products are computed in float64.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Finite rows.
    k : int
        Number of rows to pick, 1 <= k <= n.
    start : int
        Position of the first pick, 0 <= start < n.
    should_stop : callable or None
        Called before each matrix product; picking ends early if it returns True, see
        `KCenterResult.complete`.
    block : int, default=64
        Number of candidates per matrix product, at least 1; with 1 this is the textbook loop.

    Returns
    -------
    KCenterResult

    Raises
    ------
    DataError
        If k, `start` or `block` is out of range, or if X is not finite.

    Notes
    -----
    Memory holds a centered float32 copy of X and the products, ``4 n (d + block + 10)`` bytes, or
    twice as much if float64 is needed. Time is O(n k d); X is read once per matrix product instead
    of once per pick.

    References
    ----------
    Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical Computer
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
    """Pick at least one more row with one matrix product.

    Returns
    -------
    bool
        False if the cover cannot decide which row is farthest.
    """
    row = cover.farthest()
    if row is None:
        return False
    # 1. The rows with the largest upper bounds are the likely next picks.
    likely = np.argpartition(cover.highest, -min(block, len(cover.highest)))[-block:]
    candidates = np.unique(np.append(likely[1:] if row not in likely else likely, row))
    candidate_products = dict(zip(candidates.tolist(), cover.products(candidates), strict=True))
    # 2. Pick as long as the products of the farthest row are known.
    while row is not None and row in candidate_products:
        cover.radii.append(cover.radius(row))
        cover.add(row, candidate_products[row])
        if len(cover.picks) == k:
            break
        row = cover.farthest()
    return row is not None


def _result(X: np.ndarray, k: int, cover: Cover, *, complete: bool) -> KCenterResult:
    """Settle the labels, compute the last radius, and add missing picks after an early stop."""
    picks, radii, labels = list(cover.picks), list(cover.radii), cover.owners()
    squared = squared_distances_to_centers(X, X[picks], labels)
    if not complete:
        # Pick the rows farthest from the picks so far, all at once.
        squared[picks] = -1.0
        missing = np.argsort(-squared, kind="stable")[: k - len(picks)]
        radii += np.sqrt(squared[missing]).tolist()
        squared[missing], labels[missing] = 0.0, np.arange(len(picks), k)
        picks += missing.tolist()
    radii.append(float(np.sqrt(max(squared.max(), 0.0))))
    return KCenterResult(np.array(picks, dtype=np.int64), np.array(radii), labels, complete)
