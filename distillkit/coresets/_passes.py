"""Two passes over the rows: the mean of each group, then each row's squared distance to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

__all__ = ["squared_distances_to_means"]

_BLOCK_BYTES = 2**20  # rows held at a time: what stays in a core's own cache
_SMALL = 2**22  # numbers below which threads cost more than they save


def squared_distances_to_means(
    points: np.ndarray, parts: Sequence[np.ndarray], mass: np.ndarray | None = None
) -> np.ndarray:
    """Return the squared distance of each row to the (weighted) mean of its part, reading the rows twice.

    Rows are gathered block by block, so that no copy of a part is made; blocks are shared out over as many threads as
    NumPy's own products may take. The result does not depend on their number.

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
    blocks = list(_blocks(parts, max(1, _BLOCK_BYTES // (points.itemsize * points.shape[1])), len(points)))
    ones = np.ones(len(points), dtype=points.dtype) if mass is None else mass.astype(points.dtype)

    def block_sum(block: tuple[int, Any]) -> np.ndarray:
        return np.asarray(ones[block[1]] @ points[block[1]])

    totals = [len(part) if mass is None else mass[part].sum() for part in parts]
    means = np.zeros((len(parts), points.shape[1]))
    for (number, _), total in zip(blocks, _each(block_sum, blocks, points.size), strict=True):
        means[number] += total
    centres = (means / np.array(totals)[:, None]).astype(points.dtype)
    squared = np.zeros(len(points))

    def block_squares(block: tuple[int, Any]) -> None:
        number, rows = block
        difference = points[rows] - centres[number] if isinstance(rows, slice) else points[rows]
        if not isinstance(rows, slice):  # a copy already
            difference -= centres[number]
        squared[rows] = np.einsum("ij,ij->i", difference, difference)

    _each(block_squares, blocks, points.size)
    return squared


def _blocks(parts: Sequence[np.ndarray], step: int, n_rows: int) -> Iterator[tuple[int, Any]]:
    """Yield the number of a part and some of its rows; a slice, which needs no copy, where the part is all rows."""
    for number, part in enumerate(parts):
        whole = len(part) == n_rows
        for begin in range(0, len(part), step):
            yield number, slice(begin, begin + step) if whole else part[begin : begin + step]


def _each(work: Callable[[Any], Any], blocks: list[Any], size: int) -> list[Any]:
    """Do the work on each block, in threads where there is enough of it; results in the order of the blocks."""
    threads = 1 if size < _SMALL else max((pool["num_threads"] for pool in threadpool_info()), default=1)
    if threads == 1:
        return [work(block) for block in blocks]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, blocks))
