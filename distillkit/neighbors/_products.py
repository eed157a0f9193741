"""The nearest rows to each query by NumPy's products, tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["even_blocks", "nearest_by_products"]

_QUERIES = 2048  # at a time, at most
_ROWS = 1024  # beside them, where there are more
_PRODUCTS = 2**20  # held at a time
_NARROW = 64  # columns up to which one more column costs less than to subtract from all products


def nearest_by_products(
    queries: np.ndarray, X: np.ndarray, k: int, each: Callable[..., Any], *, cosine: bool = False
) -> np.ndarray:
    """Return the positions of the k rows of X nearest to each query.

    The nearest have the largest ``q.x - |x|^2 / 2``. In float32, rows should be centred.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, d)
    X : ndarray of shape (n, d)
    k : int
        1 <= k <= n.
    each : callable
        What `block_threads` gives. The result does not depend on the number of threads.
    cosine : bool
        Nearest by ``q.x`` alone.

    Returns
    -------
    ndarray of shape (n_queries, k), int64
        In no order; with ``k == 1`` the first of equals. (Equal rows have equal products but for the last bit, which on some processors
        depends on the column of a product that a row is.)

    Notes
    -----
    2 n_queries n d operations; blocks of 4 MiB per thread, or 64 k numbers for each of up to 64 queries.
    """
    found = np.empty((len(queries), k), dtype=np.int64)
    half = np.zeros(len(X), X.dtype) if cosine else np.einsum("ij,ij->i", X, X) / 2
    narrow = not cosine and X.shape[1] <= _NARROW
    others = np.column_stack([X, -half]) if narrow else X
    tile = min(len(X), max(_ROWS, 4 * k))
    step = even_blocks(len(queries), max(64, min(_QUERIES, _PRODUCTS // tile)))

    def of_block(begin: int) -> None:
        own = queries[begin : begin + step]
        if narrow:
            own = np.column_stack([own, np.ones(len(own), own.dtype)])
        best = values = np.empty((len(own), 0))
        for first in range(0, len(X), tile):
            part = slice(first, first + tile)
            products = own @ others[part].T
            if not narrow and not cosine:
                products -= half[part]
            place = _largest(products, k)
            if len(X) == tile:
                best = place
                break
            made = np.take_along_axis(products, place, axis=1)
            place += first
            if first:
                # what was found before comes first, and stays where it equals
                made, place = np.hstack([values, made]), np.hstack([best, place])
                keep = _largest(made, k)
                made, place = np.take_along_axis(made, keep, axis=1), np.take_along_axis(place, keep, axis=1)
            best, values = place, made
        found[begin : begin + step] = best

    list(each(of_block, range(0, len(queries), step)))
    return found


def _largest(values: np.ndarray, k: int) -> np.ndarray:
    """Columns of the k largest values of each row, or of all if there are fewer."""
    if k == 1:
        return np.asarray(values.argmax(axis=1)[:, None])
    cut = max(0, values.shape[1] - k)
    return np.asarray(np.argpartition(values, cut, axis=1)[:, cut:])


def even_blocks(n: int, most: int) -> int:
    """Return how many rows, at most so many, make an even number of equal blocks: two threads then end together."""
    return -(-n // (2 * -(-n // (2 * most))))
