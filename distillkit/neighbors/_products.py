"""Nearest-neighbor search by blocked matrix products in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["even_blocks", "nearest_by_products"]

_QUERIES = 2048  # largest number of queries in one block
_ROWS = 1024  # number of rows of X in one tile, if X has more
_PRODUCTS = 2**20  # number of products in memory at a time
_NARROW = 64  # number of columns up to which an extra column is cheaper than to subtract the norms


def nearest_by_products(
    queries: np.ndarray, X: np.ndarray, k: int, map_blocks: Callable[..., Any], *, cosine: bool = False
) -> np.ndarray:
    """Find the positions of the k nearest rows of X for each query.

    The nearest rows have the largest scores ``q.x - |x|^2 / 2``. In float32, rows should be
    centered.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, d)
    X : ndarray of shape (n, d)
    k : int
        Number of neighbors, 1 <= k <= n.
    map_blocks : callable
        The map that `block_threads` yields. The result does not depend on the number of threads.
    cosine : bool, default=False
        Rank rows by the inner product ``q.x`` alone.

    Returns
    -------
    ndarray of shape (n_queries, k), int64
        The positions in no particular order; with ``k == 1`` the first of several equally near
        rows. Scores of equal rows can differ in the last bit, because on some processors the
        rounding of a product depends on its column.

    Notes
    -----
    Time is 2 n_queries n d operations. Memory holds blocks of 4 MiB per thread, or 64 k numbers for
    each of up to 64 queries.
    """
    positions = np.empty((len(queries), k), dtype=np.int64)
    half_norms = np.zeros(len(X), X.dtype) if cosine else np.einsum("ij,ij->i", X, X) / 2
    # For few columns, an extra column subtracts the norms as part of the matrix product.
    narrow = not cosine and X.shape[1] <= _NARROW
    rows = np.column_stack([X, -half_norms]) if narrow else X
    tile = min(len(X), max(_ROWS, 4 * k))
    step = even_blocks(len(queries), max(64, min(_QUERIES, _PRODUCTS // tile)))

    def search_block(begin: int) -> None:
        block = queries[begin : begin + step]
        if narrow:
            block = np.column_stack([block, np.ones(len(block), block.dtype)])
        best = best_scores = np.empty((len(block), 0))
        for first in range(0, len(X), tile):
            # 1. Score one tile of rows, and select its k best.
            part = slice(first, first + tile)
            scores = block @ rows[part].T
            if not narrow and not cosine:
                scores -= half_norms[part]
            columns = _largest(scores, k)
            if len(X) == tile:
                best = columns
                break
            tile_scores = np.take_along_axis(scores, columns, axis=1)
            columns += first
            if first:
                # 2. Merge them with the best of earlier tiles, which come first and so win ties.
                tile_scores, columns = np.hstack([best_scores, tile_scores]), np.hstack([best, columns])
                top = _largest(tile_scores, k)
                tile_scores = np.take_along_axis(tile_scores, top, axis=1)
                columns = np.take_along_axis(columns, top, axis=1)
            best, best_scores = columns, tile_scores
        positions[begin : begin + step] = best

    list(map_blocks(search_block, range(0, len(queries), step)))
    return positions


def _largest(values: np.ndarray, k: int) -> np.ndarray:
    """Return the columns of the k largest values of each row, or all columns if there are fewer."""
    if k == 1:
        return np.asarray(values.argmax(axis=1)[:, None])
    if k == 2:  # two searches for the largest value are faster than a partition
        rows, first = np.arange(len(values)), values.argmax(axis=1)
        largest = values[rows, first]
        values[rows, first] = -np.inf
        second = values.argmax(axis=1)
        values[rows, first] = largest
        return np.column_stack([first, second])
    cut = max(0, values.shape[1] - k)
    return np.asarray(np.argpartition(values, cut, axis=1)[:, cut:])


def even_blocks(n: int, most: int) -> int:
    """Return a block size of at most `most` that divides n rows into an even number of blocks.

    With an even number of equal blocks, two threads finish at the same time.
    """
    return -(-n // (2 * -(-n // (2 * most))))
