"""Lloyd's algorithm for k-means by NumPy's matrix products, and sums of rows by group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix

from distillkit.neighbors._empty_clusters import squared_distances_to_centers
from distillkit.neighbors._products import even_blocks, nearest_by_products
from distillkit.neighbors._threads import block_threads
from distillkit.utils._progress import progress_task

__all__ = ["group_sums", "lloyd"]

_SUMMED = 8192  # smallest number of rows that are summed at a time
# Share of rows that change clusters in a step up to which the sums are updated instead of
# recomputed.
_MAX_UPDATED = 0.05


def lloyd(
    X: np.ndarray,
    centers: np.ndarray,
    weights: np.ndarray | None,
    *,
    max_iter: int,
    spherical: bool,
    should_stop: Callable[[], bool] | None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Run Lloyd's algorithm: move centers to the means of their rows until no row changes clusters.

    A center without rows moves to one of the rows that are farthest from their centers.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32
    centers : ndarray of shape (k, d), float32
        The initial centers.
    weights : ndarray of shape (n,) or None
        Weights of the rows; None gives equal weights.
    max_iter : int
        Largest number of steps, at least 1.
    spherical : bool
        Assign rows by inner product, and scale centers to length one after each step.
    should_stop : callable or None
        Called after each step but the last; the algorithm stops if it returns True.

    Returns
    -------
    centers : ndarray of shape (k, d), float32
    labels : ndarray of shape (n,), int64
        The nearest center of each row, the first of several equally near ones.
    steps : int
        Number of steps done.

    Notes
    -----
    A step takes 2 n k d operations and reads X once or twice. The result does not depend on the
    number of threads.
    """
    mass = np.ones(len(X), dtype=X.dtype) if weights is None else (weights / weights.max()).astype(X.dtype)
    with block_threads(X.size * len(centers) // 64) as map_blocks, progress_task("k-means") as task:
        # 1. Assign each row to its nearest center, and sum the rows of each cluster.
        labels = nearest_by_products(X, centers, 1, map_blocks, cosine=spherical)[:, 0]
        sums, previous = group_sums(X, labels, len(centers), mass, map_blocks), labels
        for steps in range(1, max_iter + 1):
            if steps > 1:
                sums = _updated_sums(sums, X, previous, labels, mass, map_blocks)
            # 2. Move each center to the mean of its rows.
            centers = _means(X, centers, labels, sums, mass, spherical)
            # 3. Assign the rows again, and stop if none has changed its cluster.
            previous, labels = labels, nearest_by_products(X, centers, 1, map_blocks, cosine=spherical)[:, 0]
            task.update(steps, max_iter)
            if steps == max_iter or np.array_equal(labels, previous) or (should_stop is not None and should_stop()):
                break
    return centers, labels, steps


def _updated_sums(
    sums: np.ndarray,
    X: np.ndarray,
    previous: np.ndarray,
    labels: np.ndarray,
    mass: np.ndarray,
    map_blocks: Callable[..., Any],
) -> np.ndarray:
    """Return the sums of the rows of each cluster; update the previous sums if few rows moved."""
    moved = np.flatnonzero(labels != previous)
    if len(moved) > _MAX_UPDATED * len(X):
        return group_sums(X, labels, len(sums), mass, map_blocks)
    # Update in float64, so that adding and removing a row later cancel but for the rounding of the
    # sums that were computed in full.
    rows, weight = X[moved], mass[moved].astype(np.float64)
    removed, added = (
        group_sums(rows, clusters[moved], len(sums), weight, map_blocks) for clusters in (previous, labels)
    )
    return np.asarray(sums - removed + added)


def _means(
    X: np.ndarray,
    centers: np.ndarray,
    labels: np.ndarray,
    sums: np.ndarray,
    mass: np.ndarray,
    spherical: bool,
) -> np.ndarray:
    """Compute the weighted mean of each cluster, and move centers without rows to far rows."""
    k = len(centers)
    total = np.bincount(labels, weights=mass, minlength=k)[:, None]
    means = np.where(total > 0, sums / np.where(total > 0, total, 1), centers)
    empty = np.flatnonzero(np.bincount(labels, minlength=k) == 0)
    if len(empty):
        squared = squared_distances_to_centers(X, centers, labels) * mass
        farthest = np.argsort(-squared, kind="stable")[: len(empty)]
        farthest = farthest[squared[farthest] > 0]  # too few if there are fewer different rows than centers
        means[empty[: len(farthest)]] = X[farthest]
    if spherical:
        length = np.linalg.norm(means, axis=1, keepdims=True)
        means /= np.where(length > 0, length, 1)
    return np.asarray(means, dtype=X.dtype)


def group_sums(
    X: np.ndarray, labels: np.ndarray, k: int, weight: np.ndarray, map_blocks: Callable[..., Any] = map
) -> np.ndarray:
    """Compute the weighted sum of the rows of each group.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    labels : ndarray of shape (n,)
        Group of each row, 0 to k - 1.
    k : int
        Number of groups.
    weight : ndarray of shape (n,)
        Weights of the rows. Blocks of some thousand rows are summed in the dtype of the weights,
        and the sums of the blocks are added in float64.
    map_blocks : callable, default=map
        The map that `block_threads` yields.

    Returns
    -------
    ndarray of shape (k, d), float64
    """
    step = even_blocks(len(X), max(_SUMMED, 64 * k))

    def block_sums(begin: int) -> np.ndarray:
        part = slice(begin, begin + step)
        # A contiguous copy makes the order of the sums independent of the memory layout of X.
        rows = np.ascontiguousarray(X[part], dtype=weight.dtype)
        if k == 1:
            return np.asarray(weight[part] @ rows)
        by_group = csc_matrix((weight[part], labels[part], np.arange(len(rows) + 1)), shape=(k, len(rows)))
        return np.asarray(by_group @ rows)

    sums = np.zeros((k, X.shape[1]))
    for partial_sums in map_blocks(block_sums, range(0, len(X), step)):
        sums += partial_sums
    return sums
