"""Squared distances of rows to the mean of their group, in two passes over the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distillkit.neighbors._lloyd import group_sums
from distillkit.neighbors._threads import block_threads
from distillkit.utils._moments import without_far_offsets
from distillkit.utils._sparse import dense_rows, is_sparse, mean_of_rows, row_block

__all__ = ["squared_distances_to_means"]

_BLOCK_BYTES = 2**22  # of a block of rows; with smaller blocks, threads wait for each other
_OFFSET = 64
"""Squared distance of a mean from the origin, relative to that of its rows from it, above which
float32 sums and products are too inaccurate."""


def squared_distances_to_means(
    points: np.ndarray, parts: Sequence[np.ndarray], mass: np.ndarray | None = None
) -> np.ndarray:
    """Return the squared distance of each row to the (weighted) mean of its part, in two passes.

    Rows are read in their order and block by block, so that no part is copied. Blocks are divided
    over as many threads as NumPy's own products may use; the result does not depend on their
    number.

    Parameters
    ----------
    points : ndarray or CSR of shape (n, d)
    parts : sequence of ndarray
        Positions of the rows of each part.
    mass : ndarray of shape (n,) or None
        Weights of the rows in the means.

    Returns
    -------
    ndarray of shape (n,)
        0 for rows of no part.
    """
    if is_sparse(points):
        return _of_sparse_rows(points, parts, mass)
    points = without_far_offsets(points)
    labels = np.full(len(points), len(parts), dtype=np.int32)  # rows of no part form an extra group
    for number, part in enumerate(parts):
        labels[part] = number
    weight = np.ones(len(points), dtype=points.dtype) if mass is None else mass.astype(points.dtype)
    groups = int(labels.max()) + 1
    with block_threads(points.size) as parallel_map:
        means = _means(points, labels, groups, weight, parallel_map).astype(points.dtype)
        squared = (
            _by_differences(points, labels, means, parallel_map)
            if groups > 1
            else _by_products(points, means[0], parallel_map)
        )
        # Far from the origin, float32 sums and products lose all digits: compute again in float64.
        if _are_far(means, labels, squared):
            means = _means(points, labels, groups, weight.astype(np.float64), parallel_map)
            squared = _by_differences(points, labels, means, parallel_map)
    squared[labels == len(parts)] = 0
    np.maximum(squared, 0, out=squared)
    return squared


def _of_sparse_rows(points: Any, parts: Sequence[np.ndarray], mass: np.ndarray | None) -> np.ndarray:
    """Return the squared distances for a sparse matrix, made dense in blocks of rows alone."""
    squared, step = np.zeros(points.shape[0]), row_block(points)
    for part in parts:
        rows = points[part]
        mean = mean_of_rows(rows, None if mass is None else mass[part])
        for begin in range(0, len(part), step):
            block = slice(begin, begin + step)
            difference = dense_rows(rows, block) - mean
            squared[part[block]] = _squared_lengths(difference)
    return squared


def _means(
    points: np.ndarray, labels: np.ndarray, groups: int, weight: np.ndarray, parallel_map: Callable[..., Any]
) -> np.ndarray:
    """Return the weighted mean of each group."""
    total = np.bincount(labels, weights=weight, minlength=groups)
    return group_sums(points, labels, groups, weight, parallel_map) / np.where(total > 0, total, 1)[:, None]


def _by_products(points: np.ndarray, mean: np.ndarray, parallel_map: Callable[..., Any]) -> np.ndarray:
    """Return the squared distances to one mean by products, which take fewer operations."""
    squared, step = np.empty(len(points)), _step(points)

    def process_block(begin: int) -> None:
        rows = np.ascontiguousarray(points[begin : begin + step])
        squared[begin : begin + step] = _squared_lengths(rows) - 2 * (rows @ mean)

    list(parallel_map(process_block, range(0, len(points), step)))
    squared += float(mean @ mean)
    return squared


def _by_differences(
    points: np.ndarray, labels: np.ndarray, means: np.ndarray, parallel_map: Callable[..., Any]
) -> np.ndarray:
    """Return the squared distances of the rows to the mean of their group."""
    squared, step = np.empty(len(points)), _step(points)

    def process_block(begin: int) -> None:
        part = slice(begin, begin + step)
        difference = np.take(means, labels[part], axis=0)
        np.subtract(points[part], difference, out=difference)
        squared[part] = _squared_lengths(difference)

    list(parallel_map(process_block, range(0, len(points), step)))
    return squared


def _are_far(means: np.ndarray, labels: np.ndarray, squared: np.ndarray) -> bool:
    """Whether the mean of any group is far from the origin relative to the spread of its rows."""
    count = np.bincount(labels, minlength=len(means))
    spread = np.bincount(labels, weights=squared, minlength=len(means)) / np.maximum(count, 1)
    offset = np.einsum("ij,ij->i", means, means, dtype=np.float64)
    far = (offset > _OFFSET * spread) | ~np.isfinite(spread)
    return bool((far & (count > 1)).any())


def _step(points: np.ndarray) -> int:
    """Return the number of rows in a block."""
    return max(1, _BLOCK_BYTES // int(points.itemsize * points.shape[1]))


def _squared_lengths(rows: np.ndarray) -> np.ndarray:
    """Return the squared length of each row, by BLAS if this version of NumPy has it."""
    squared = np.vecdot(rows, rows) if hasattr(np, "vecdot") else np.einsum("ij,ij->i", rows, rows)
    return np.asarray(squared)
