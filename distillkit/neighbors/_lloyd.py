"""Steps of Lloyd's k-means by NumPy's own matrix products, and the sums of the rows of groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix

from distillkit.neighbors._empty_clusters import squared_distances_to_centers
from distillkit.neighbors._products import even_blocks, nearest_by_products
from distillkit.neighbors._threads import block_threads

__all__ = ["group_sums", "lloyd"]

_SUMMED = 8192  # rows summed at a time, at least
_MOVED = 0.05  # part of the rows up to which sums follow those that changed hands: for two sums in float64, and a copy


def lloyd(
    X: np.ndarray,
    centres: np.ndarray,
    weights: np.ndarray | None,
    *,
    max_iter: int,
    spherical: bool,
    should_stop: Callable[[], bool] | None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Move centres to the means of the rows nearest to them, until no row changes hands.

    A centre that owns no row moves to one of the rows farthest from their own.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32
    centres : ndarray of shape (k, d), float32
        The start.
    weights : ndarray of shape (n,) or None
    max_iter : int
        At least 1.
    spherical : bool
        Nearest by inner product; centres go back to length one.
    should_stop : callable or None
        Asked after each step but the last.

    Returns
    -------
    centres : ndarray of shape (k, d), float32
    labels : ndarray of shape (n,), int64
        The centre nearest to each row, the first of equals.
    steps : int

    Notes
    -----
    2 n k d operations a step, and reading X once or twice. The result does not depend on the number of threads.
    """
    mass = np.ones(len(X), dtype=X.dtype) if weights is None else (weights / weights.max()).astype(X.dtype)
    with block_threads(X.size * len(centres) // 64) as each:
        labels = nearest_by_products(X, centres, 1, each, cosine=spherical)[:, 0]
        sums, before = group_sums(X, labels, len(centres), mass, each), labels
        for steps in range(1, max_iter + 1):
            if steps > 1:
                sums = _sums_after(sums, X, before, labels, mass, each)
            centres = _means(X, centres, labels, sums, mass, spherical)
            before, labels = labels, nearest_by_products(X, centres, 1, each, cosine=spherical)[:, 0]
            if steps == max_iter or np.array_equal(labels, before) or (should_stop is not None and should_stop()):
                break
    return centres, labels, steps


def _sums_after(
    sums: np.ndarray,
    X: np.ndarray,
    before: np.ndarray,
    labels: np.ndarray,
    mass: np.ndarray,
    each: Callable[..., Any],
) -> np.ndarray:
    """Sums of the rows of each group; where few rows have changed hands, from the sums before."""
    moved = np.flatnonzero(labels != before)
    if len(moved) > _MOVED * len(X):
        return group_sums(X, labels, len(sums), mass, each)
    # in float64: what a group loses is what it had got, but for the rounding of sums made in full
    rows, weight = X[moved], mass[moved].astype(np.float64)
    lost, got = (group_sums(rows, which[moved], len(sums), weight, each) for which in (before, labels))
    return np.asarray(sums - lost + got)


def _means(
    X: np.ndarray,
    centres: np.ndarray,
    labels: np.ndarray,
    sums: np.ndarray,
    mass: np.ndarray,
    spherical: bool,
) -> np.ndarray:
    k = len(centres)
    total = np.bincount(labels, weights=mass, minlength=k)[:, None]
    means = np.where(total > 0, sums / np.where(total > 0, total, 1), centres)
    lacking = np.flatnonzero(np.bincount(labels, minlength=k) == 0)
    if len(lacking):
        squared = squared_distances_to_centers(X, centres, labels) * mass
        farthest = np.argsort(-squared, kind="stable")[: len(lacking)]
        farthest = farthest[squared[farthest] > 0]  # else there are fewer different rows than centres
        means[lacking[: len(farthest)]] = X[farthest]
    if spherical:
        length = np.linalg.norm(means, axis=1, keepdims=True)
        means /= np.where(length > 0, length, 1)
    return np.asarray(means, dtype=X.dtype)


def group_sums(
    X: np.ndarray, labels: np.ndarray, k: int, weight: np.ndarray, each: Callable[..., Any] = map
) -> np.ndarray:
    """Weighted sums of the rows of each group.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    labels : ndarray of shape (n,)
        Group of each row, 0 to k - 1.
    k : int
    weight : ndarray of shape (n,)
        Its dtype is that in which some thousand rows are added at a time, before float64 takes over.
    each : callable
        What `block_threads` gives.

    Returns
    -------
    ndarray of shape (k, d), float64
    """
    step = even_blocks(len(X), max(_SUMMED, 64 * k))

    def of_block(begin: int) -> np.ndarray:
        part = slice(begin, begin + step)
        # in the same order whatever the memory order of X
        rows = np.ascontiguousarray(X[part], dtype=weight.dtype)
        if k == 1:
            return np.asarray(weight[part] @ rows)
        by_group = csc_matrix((weight[part], labels[part], np.arange(len(rows) + 1)), shape=(k, len(rows)))
        return np.asarray(by_group @ rows)

    sums = np.zeros((k, X.shape[1]))
    for found in each(of_block, range(0, len(X), step)):
        sums += found
    return sums
