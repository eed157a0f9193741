"""Two passes over the rows: the mean of each group, then each row's squared distance to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distillkit.neighbors._lloyd import group_sums
from distillkit.neighbors._threads import block_threads

__all__ = ["squared_distances_to_means"]

_BLOCK_BYTES = 2**22  # rows at a time: smaller blocks have threads wait for each other
_OFFSET = 64  # squared distance of the mean from the origin, over that of the rows from it, that float32 can well bear


def squared_distances_to_means(
    points: np.ndarray, parts: Sequence[np.ndarray], mass: np.ndarray | None = None
) -> np.ndarray:
    """Return the squared distance of each row to the (weighted) mean of its part, reading the rows twice.

    Rows are read in their order, block by block, so that no copy of a part is made; blocks are shared out over as many
    threads as NumPy's own products may take. The result does not depend on their number.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    parts : sequence of ndarray
        Positions of the rows of each part.
    mass : ndarray of shape (n,) or None

    Returns
    -------
    ndarray of shape (n,)
        0 for rows of no part.
    """
    labels = np.full(len(points), len(parts), dtype=np.int32)  # rows of no part lie in one more
    for number, part in enumerate(parts):
        labels[part] = number
    weight = np.ones(len(points), dtype=points.dtype) if mass is None else mass.astype(points.dtype)
    groups = int(labels.max()) + 1
    with block_threads(points.size) as each:
        means = _means(points, labels, groups, weight, each).astype(points.dtype)
        squared = _by_differences(points, labels, means, each) if groups > 1 else _by_products(points, means[0], each)
        if _are_far(means, labels, squared):  # from the origin: float32 sums, and products, would leave only rounding
            means = _means(points, labels, groups, weight.astype(np.float64), each)
            squared = _by_differences(points, labels, means, each)
    squared[labels == len(parts)] = 0
    np.maximum(squared, 0, out=squared)
    return squared


def _means(
    points: np.ndarray, labels: np.ndarray, groups: int, weight: np.ndarray, each: Callable[..., Any]
) -> np.ndarray:
    total = np.bincount(labels, weights=weight, minlength=groups)
    return group_sums(points, labels, groups, weight, each) / np.where(total > 0, total, 1)[:, None]


def _by_products(points: np.ndarray, mean: np.ndarray, each: Callable[..., Any]) -> np.ndarray:
    """Squared distance of each row to one mean: a third less work than by differences."""
    squared, step = np.empty(len(points)), _step(points)

    def of_block(begin: int) -> None:
        rows = np.ascontiguousarray(points[begin : begin + step])
        squared[begin : begin + step] = _dots(rows) - 2 * (rows @ mean)

    list(each(of_block, range(0, len(points), step)))
    squared += float(mean @ mean)
    return squared


def _by_differences(points: np.ndarray, labels: np.ndarray, means: np.ndarray, each: Callable[..., Any]) -> np.ndarray:
    """Squared distance of each row to the mean of its part."""
    squared, step = np.empty(len(points)), _step(points)

    def of_block(begin: int) -> None:
        part = slice(begin, begin + step)
        difference = np.take(means, labels[part], axis=0)
        np.subtract(points[part], difference, out=difference)
        squared[part] = _dots(difference)

    list(each(of_block, range(0, len(points), step)))
    return squared


def _are_far(means: np.ndarray, labels: np.ndarray, squared: np.ndarray) -> bool:
    """Tell whether the mean of any group of several rows is far from the origin, for how far its rows are from it."""
    count = np.bincount(labels, minlength=len(means))
    spread = np.bincount(labels, weights=squared, minlength=len(means)) / np.maximum(count, 1)
    offset = np.einsum("ij,ij->i", means, means, dtype=np.float64)
    far = (offset > _OFFSET * spread) | ~np.isfinite(spread)
    return bool((far & (count > 1)).any())


def _step(points: np.ndarray) -> int:
    return max(1, _BLOCK_BYTES // int(points.itemsize * points.shape[1]))


def _dots(rows: np.ndarray) -> np.ndarray:
    """Squared length of each row, by BLAS where NumPy has it."""
    found = np.vecdot(rows, rows) if hasattr(np, "vecdot") else np.einsum("ij,ij->i", rows, rows)
    return np.asarray(found)
