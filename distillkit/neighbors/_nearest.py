"""Exact k-nearest-neighbor search of queries in a sample."""

from __future__ import annotations

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._faiss import BLOCK_BYTES, as_rows, gpu_of, load_faiss, origin_and_scale, to_float32
from distillkit.neighbors._products import nearest_by_products
from distillkit.neighbors._threads import block_threads

__all__ = ["exact_squares", "nearest"]

_GPU_MOST = 2048  # largest number of neighbors that faiss's GPU search can return


def nearest(queries: np.ndarray, X: np.ndarray, k: int, *, device: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest neighbors of each query among the rows of X, in Euclidean distance.

    The search compares each query with every row, in float32, by NumPy's products or by faiss on a
    GPU. Rows are first centered at the mean of X, so that a common offset costs no precision. The
    distances of the neighbors are then recomputed in float64 and sorted; equal distances are sorted
    by position.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, d)
    X : ndarray of shape (n, d)
    k : int
        Number of neighbors, 1 <= k <= n.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where the search runs, see `gpu_wanted`.

    Returns
    -------
    squared_distances : ndarray of shape (n_queries, k), float64
        Squared distances to the neighbors, in ascending order.
    indices : ndarray of shape (n_queries, k), int64
        Positions of the neighbors in X.

    Raises
    ------
    DataError
        If k is out of range, if the numbers of features differ, or if a value is not finite.

    Warns
    -----
    DistillkitWarning
        If `device` is not "cpu" and faiss, which the GPU search needs, cannot be imported.
    """
    queries, X = as_rows(queries, "queries"), as_rows(X)
    if queries.shape[1] != X.shape[1]:
        raise DataError(
            f"queries have {queries.shape[1]} columns, but X has {X.shape[1]}: give both the same features."
        )
    if not 1 <= k <= len(X):
        raise DataError(f"k={k} neighbors cannot be found among {len(X)} rows: give 1 <= k <= {len(X)}.")
    # 1. Search in float32.
    indices = _search(queries, X, k, device)
    # 2. Recompute the distances of the neighbors in float64, and sort by distance and position.
    distances = exact_squares(queries, X, indices)
    order = np.lexsort((indices, distances), axis=1)
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(indices, order, axis=1)


def _search(queries: np.ndarray, X: np.ndarray, k: int, device: str) -> np.ndarray:
    """Find the positions of the k nearest rows of each query, in no particular order."""
    faiss = None if device == "cpu" else load_faiss()
    gpu = gpu_of(faiss, device) and k <= _GPU_MOST
    origin, scale = origin_and_scale(X, queries)
    scaled, scaled_queries = to_float32(X, origin, scale), to_float32(queries, origin, scale)
    if not gpu:
        with block_threads(queries.size * len(X) // 64) as map_blocks:
            return nearest_by_products(scaled_queries, scaled, k, map_blocks)
    assert faiss is not None  # since gpu_of found a GPU
    index = faiss.index_cpu_to_all_gpus(faiss.IndexFlatL2(X.shape[1]))
    index.add(scaled)
    return np.asarray(index.search(scaled_queries, k)[1], dtype=np.int64)


def exact_squares(queries: np.ndarray, X: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Squared distances of each query to its neighbors, computed from differences in float64.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, d)
    X : ndarray of shape (n, d)
    indices : ndarray of shape (n_queries, k)
        Positions of the neighbors in X.

    Returns
    -------
    ndarray of shape (n_queries, k), float64
    """
    squared = np.empty(indices.shape)
    step = max(1, BLOCK_BYTES // (8 * X.shape[1] * indices.shape[1]))
    for begin in range(0, len(queries), step):
        part = slice(begin, begin + step)
        difference = np.subtract(X[indices[part]], queries[part, None], dtype=np.float64)
        squared[part] = np.einsum("qkj,qkj->qk", difference, difference)
    return squared
