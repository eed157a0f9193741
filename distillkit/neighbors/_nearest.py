"""The k nearest rows of each query, exhaustively."""

from __future__ import annotations

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._faiss import BLOCK_BYTES, as_rows, gpu_of, load_faiss, origin_and_scale, to_float32
from distillkit.neighbors._products import nearest_by_products
from distillkit.neighbors._threads import block_threads

__all__ = ["exact_squares", "nearest"]

_GPU_MOST = 2048  # neighbours that faiss's GPU search can return


def nearest(queries: np.ndarray, X: np.ndarray, k: int, *, device: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Find the k rows of X nearest to each query in Euclidean distance.

    Every row is looked at. Rows are found in float32, after a move to the mean of X so that a common offset
    costs no precision, by NumPy's products or by faiss on a GPU; their distances are then computed in float64 and sorted,
    equal ones by position.

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
        If faiss, which finds and uses GPUs, cannot be imported, and `device` is not "cpu".
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
    faiss = None if device == "cpu" else load_faiss()
    gpu = gpu_of(faiss, device) and k <= _GPU_MOST
    origin, scale = origin_and_scale(X, queries)
    small, small_queries = to_float32(X, origin, scale), to_float32(queries, origin, scale)
    if not gpu:
        with block_threads(queries.size * len(X) // 64) as each:
            return nearest_by_products(small_queries, small, k, each)
    assert faiss is not None  # it has seen the GPU
    index = faiss.index_cpu_to_all_gpus(faiss.IndexFlatL2(X.shape[1]))
    index.add(small)
    return np.asarray(index.search(small_queries, k)[1], dtype=np.int64)


def exact_squares(queries: np.ndarray, X: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Squared distances of queries (n_queries, d) to these rows (n_queries, k), by differences in float64."""
    out = np.empty(indices.shape)
    step = max(1, BLOCK_BYTES // (8 * X.shape[1] * indices.shape[1]))
    for begin in range(0, len(queries), step):
        part = slice(begin, begin + step)
        difference = np.subtract(X[indices[part]], queries[part, None], dtype=np.float64)
        out[part] = np.einsum("qkj,qkj->qk", difference, difference)
    return out
