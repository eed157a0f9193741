"""Two passes over the rows: the mean of each group, then each row's squared distance to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distillkit.neighbors._lloyd import group_sums
from distillkit.neighbors._threads import block_threads

__all__ = ["squared_distances_to_means"]

_BLOCK_BYTES = 2**19  # differences held at a time: what stays, with the rows, in a core's own cache
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
    owner = np.full(len(points), len(parts), dtype=np.int32)  # rows of no part lie in one more
    for number, part in enumerate(parts):
        owner[part] = number
    weight = np.ones(len(points), dtype=points.dtype) if mass is None else mass.astype(points.dtype)
    with block_threads(points.size) as each:
        groups = int(owner.max()) + 1
        sums = group_sums(points, owner, groups, weight, each)
        total = np.bincount(owner, weights=weight, minlength=groups)
        means = (sums / np.where(total > 0, total, 1)[:, None]).astype(points.dtype)
        squared = _squares(points, owner, means, each)
    squared[owner == len(parts)] = 0
    return squared


def _squares(points: np.ndarray, owner: np.ndarray, means: np.ndarray, each: Callable[..., Any]) -> np.ndarray:
    """Squared distance of each row to the mean of its part."""
    squared, alone = np.empty(len(points)), len(means) == 1
    step = max(1, _BLOCK_BYTES // (points.itemsize * points.shape[1]))
    offset = float(_dots(means[:1])[0])

    def by_products(begin: int) -> None:
        rows = np.ascontiguousarray(points[begin : begin + step])
        squared[begin : begin + step] = _dots(rows) - 2 * (rows @ means[0])

    def by_differences(begin: int) -> None:
        part = slice(begin, begin + step)
        difference = np.take(means, owner[part], axis=0)
        np.subtract(points[part], difference, out=difference)
        squared[part] = _dots(difference)

    if alone:  # a third less work, but far from the origin only rounding would be left
        list(each(by_products, range(0, len(points), step)))
        squared += offset
        if offset <= _OFFSET * squared.mean():
            return np.maximum(squared, 0, out=squared)
    list(each(by_differences, range(0, len(points), step)))
    return squared


def _dots(rows: np.ndarray) -> np.ndarray:
    """Squared length of each row, by BLAS where NumPy has it."""
    found = np.vecdot(rows, rows) if hasattr(np, "vecdot") else np.einsum("ij,ij->i", rows, rows)
    return np.asarray(found)
