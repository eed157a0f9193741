"""The k nearest rows of each query, exhaustively."""

from __future__ import annotations

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._faiss import BLOCK_BYTES, as_rows, gpu_of, load_faiss, origin_and_scale, to_float32

__all__ = ["exact_squares", "nearest"]

_GPU_MOST = 2048  # neighbours that faiss's GPU search can return


def nearest(queries: np.ndarray, X: np.ndarray, k: int, *, device: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Find the k rows of X nearest to each query in Euclidean distance.

    Every row is looked at. faiss finds the rows in float32, after a move to the mean of X so that a common offset
    costs no precision; their distances are then computed in float64 and sorted, equal ones by position.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, d)
    X : ndarray of shape (n, d)
    k : int
        1 <= k <= n.
    device : {"auto", "cpu", "cuda"}
        See `gpu_wanted`.

    Returns
    -------
    squared_distances : ndarray of shape (n_queries, k), float64
        Ascending.
    indices : ndarray of shape (n_queries, k), int64
        Positions in X.

    Raises
    ------
    DataError
        If k is out of range, the widths differ, or a value is not finite.

    Warns
    -----
    DistillkitWarning
        If faiss cannot be imported and scikit-learn does the work.
    """
    queries, X = as_rows(queries, "queries"), as_rows(X)
    if queries.shape[1] != X.shape[1]:
        raise DataError(
            f"queries have {queries.shape[1]} columns, but X has {X.shape[1]}: give both the same features."
        )
    if not 1 <= k <= len(X):
        raise DataError(f"k={k} neighbours cannot be found among {len(X)} rows: give 1 <= k <= {len(X)}.")
    indices = _candidates(queries, X, k, device)
    distances = exact_squares(queries, X, indices)
    order = np.lexsort((indices, distances), axis=1)
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(indices, order, axis=1)


def _candidates(queries: np.ndarray, X: np.ndarray, k: int, device: str) -> np.ndarray:
    faiss = load_faiss()
    gpu = gpu_of(faiss, device) and k <= _GPU_MOST
    origin, scale = origin_and_scale(X, queries)
    small, small_queries = to_float32(X, origin, scale), to_float32(queries, origin, scale)
    if faiss is None:
        from sklearn.neighbors import NearestNeighbors

        found = (
            NearestNeighbors(n_neighbors=k, algorithm="brute")
            .fit(small)
            .kneighbors(small_queries, return_distance=False)
        )
    else:
        index = faiss.IndexFlatL2(X.shape[1])
        index = faiss.index_cpu_to_all_gpus(index) if gpu else index
        index.add(small)
        found = index.search(small_queries, k)[1]
    return np.asarray(found, dtype=np.int64)


def exact_squares(queries: np.ndarray, X: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Squared distances of queries (n_queries, d) to these rows (n_queries, k), by differences in float64."""
    out = np.empty(indices.shape)
    step = max(1, BLOCK_BYTES // (8 * X.shape[1] * indices.shape[1]))
    for begin in range(0, len(queries), step):
        part = slice(begin, begin + step)
        difference = np.subtract(X[indices[part]], queries[part, None], dtype=np.float64)
        out[part] = np.einsum("qkj,qkj->qk", difference, difference)
    return out
