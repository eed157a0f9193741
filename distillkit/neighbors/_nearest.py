"""Exact k-nearest-neighbor search of queries in a sample."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from distillkit.exceptions import DataError
from distillkit.neighbors._faiss import BLOCK_BYTES, as_rows, gpu_of, load_faiss, origin_and_scale, to_float32
from distillkit.neighbors._products import nearest_by_products
from distillkit.neighbors._threads import block_threads

__all__ = ["exact_squares", "nearest"]

_GPU_MOST = 2048  # largest number of neighbors that faiss's GPU search can return
_UNIT = 2.0**-24  # unit roundoff of float32
_SPARE = 8  # candidates beyond k, whose distances show how far the rows are that were left out


def nearest(queries: np.ndarray, X: np.ndarray, k: int, *, device: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest neighbors of each query among the rows of X, in Euclidean distance.

    The search compares each query with every row, in float32, by NumPy's products or by faiss on a
    GPU. Rows are first centered at the mean of X, so that a common offset costs no precision. The
    distances of the candidates are then recomputed in float64 and sorted; equal distances are
    sorted by position. Where the rounding errors of the search leave open whether a row that is no
    candidate is nearer, the query is compared with all rows by differences in float64. The result
    is therefore exact, also for rows much closer to each other than to the mean.

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
    # 1. Search more candidates than neighbors in float32.
    candidates, sizes = _search(queries, X, min(2 if k == 1 else k + _SPARE, len(X)), device)
    # 2. Recompute their distances in float64, and sort by distance and position.
    distances = exact_squares(queries, X, candidates)
    order = np.lexsort((candidates, distances), axis=1)
    distances, indices = (np.take_along_axis(values, order, axis=1) for values in (distances, candidates))
    # 3. Compare queries with all rows where a row that is no candidate may be nearer.
    if candidates.shape[1] < len(X):
        open_queries = np.flatnonzero(distances[:, k - 1] >= _bound_of_others(distances[:, -1], sizes, X.shape[1]))
        distances[open_queries, :k], indices[open_queries, :k] = _by_differences(queries[open_queries], X, k)
    return distances[:, :k], indices[:, :k]


def _bound_of_others(farthest: np.ndarray, sizes: np.ndarray, d: int) -> np.ndarray:
    """Bound from below the squared distances of queries to the rows that are no candidates.

    The error of a squared distance between q and x from float32 products is at most
    ``(d + 16) u (|q|^2 + |x|^2)``, where u is the unit roundoff and |x|^2 at most
    ``2 |q|^2 + 2 |x - q|^2``. A row that is no candidate was not nearer in float32 than the
    farthest candidate.

    Parameters
    ----------
    farthest : ndarray of shape (n_queries,)
        Squared distances to the farthest candidates.
    sizes : ndarray of shape (n_queries,)
        Squared norms of the queries after centering.
    d : int
        Number of columns.
    """
    error = (d + 16) * _UNIT
    return np.asarray((farthest * (1 - 2 * error) - 6 * error * sizes) / (1 + 2 * error))


def _by_differences(queries: np.ndarray, X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest rows of each query by the differences to all rows in float64."""
    distances, indices = np.empty((len(queries), k)), np.empty((len(queries), k), dtype=np.int64)
    step = max(1, BLOCK_BYTES // len(X))

    def search_block(begin: int) -> None:
        part = slice(begin, begin + step)
        squared = cdist(queries[part], X, "sqeuclidean")
        # The sort is stable, so that the first of equally near rows wins.
        chosen = np.argsort(squared, axis=1, kind="stable")[:, :k] if k > 1 else squared.argmin(axis=1)[:, None]
        distances[part], indices[part] = np.take_along_axis(squared, chosen, axis=1), chosen

    with block_threads(queries.size * len(X)) as map_blocks:
        list(map_blocks(search_block, range(0, len(queries), step)))
    return distances, indices


def _search(queries: np.ndarray, X: np.ndarray, k: int, device: str) -> tuple[np.ndarray, np.ndarray]:
    """Find the positions of k rows near each query, and the squared norms of centered queries."""
    faiss = None if device == "cpu" else load_faiss()
    gpu = gpu_of(faiss, device) and k <= _GPU_MOST
    origin, scale = origin_and_scale(X, queries)
    scaled, scaled_queries = to_float32(X, origin, scale), to_float32(queries, origin, scale)
    sizes = np.einsum("ij,ij->i", scaled_queries, scaled_queries, dtype=np.float64) / scale / scale
    if not gpu:
        with block_threads(queries.size * len(X) // 64) as map_blocks:
            return nearest_by_products(scaled_queries, scaled, k, map_blocks), sizes
    assert faiss is not None  # since gpu_of found a GPU
    index = faiss.index_cpu_to_all_gpus(faiss.IndexFlatL2(X.shape[1]))
    index.add(scaled)
    return np.asarray(index.search(scaled_queries, k)[1], dtype=np.int64), sizes


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
