"""The nearest-neighbor graph of a sample, which stores n t distances instead of n^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._blocked_neighbors import nearest_rows
from distillkit.neighbors._faiss import as_rows, gpu_of, load_faiss, origin_and_scale, to_float32
from distillkit.neighbors._nearest import exact_squares

__all__ = ["NeighborGraph", "neighbor_graph"]

_QUERIES = 4096  # number of rows whose neighbors a GPU searches at a time
_COLUMNS = 512  # number of rows whose distances to all rows are computed at a time for a complete graph
_GPU_MOST = 2048  # largest number of neighbors that faiss's GPU search can return
_EXACT = 2**27  # largest n t d for which distances are recomputed in float64


@dataclass(frozen=True, eq=False)
class NeighborGraph:
    """Nearest-neighbor graph, the result of `neighbor_graph`.

    Parameters
    ----------
    distances : ndarray of shape (n, t), float64 or float32
        Distances of each row to its neighbors, multiplied by `scale`, in no particular order. If
        ``n t d <= 2**27`` they are float64 and the same from both ends of an edge.
    indices : ndarray of shape (n, t), int32
        Positions of the neighbors; the row itself, at distance 0, is always among them.
    scale : float
        A power of two; divide the distances by it to get the units of X.
    backend : {"faiss-gpu", "numpy"}
        The library that searched for the neighbors.
    """

    distances: np.ndarray
    indices: np.ndarray
    scale: float
    backend: str


def neighbor_graph(X: np.ndarray, t: int, *, device: str = "auto") -> NeighborGraph:
    """Find the t nearest neighbors of each row in Euclidean distance, the row itself included.

    The search is exhaustive, so it finds the exact neighbors but for rounding.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Finite rows.
    t : int
        Number of neighbors, 1 <= t <= n.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where the search runs, see `gpu_wanted`.

    Returns
    -------
    NeighborGraph

    Raises
    ------
    DataError
        If t is out of range, or if X is not finite.

    Warns
    -----
    DistillkitWarning
        If `device` is not "cpu" and faiss, which the GPU search needs, cannot be imported.

    Notes
    -----
    Neighbors are searched in float32, with rows centered and scaled. If ``n t d <= 2**27``, their
    distances are then recomputed from differences in float64; otherwise the distances of the search
    are returned. With ``t == n`` nothing needs to be searched, and the distances of large samples
    come from float64 products.

    Without a GPU, NumPy's matrix products (`nearest_rows`) are used, which compute each pair of
    rows only once. The CPU search of faiss computes every pair twice and becomes slow for hundreds
    of neighbors.

    Time is O(n^2 d). Memory holds 8 bytes per edge and up to as many again, and two float32 copies
    of X (one float64 copy with ``t == n``).
    """
    X = as_rows(X)
    if not 1 <= t <= len(X):
        raise DataError(f"t={t} neighbors cannot be found among {len(X)} rows: give 1 <= t <= {len(X)}.")
    origin, scale = origin_and_scale(X)
    # 1. A complete graph needs no search.
    exact = X.size * t <= _EXACT
    if t == len(X):
        indices = np.tile(np.arange(len(X), dtype=np.int32), (len(X), 1))
        distances = _exact(X, indices, scale) if exact else _complete((X - origin) * scale)
        return NeighborGraph(distances, indices, scale, "numpy")
    # 2. Search in float32, on a GPU or by NumPy's products.
    faiss = None if device == "cpu" else load_faiss()
    gpu = gpu_of(faiss, device) and t <= _GPU_MOST
    scaled = to_float32(X, origin, scale)
    distances, indices = _by_gpu(faiss, scaled, t) if gpu else nearest_rows(scaled, t)
    # 3. Make sure that each row is its own neighbor, and recompute the distances in float64.
    _include_self(distances, indices)
    if exact:
        distances = _exact(X, indices, scale)
    return NeighborGraph(distances, indices, scale, "faiss-gpu" if gpu else "numpy")


def _exact(X: np.ndarray, indices: np.ndarray, scale: float) -> np.ndarray:
    """Compute the scaled distances from differences in float64."""
    distances = exact_squares(X, X, indices)
    np.sqrt(distances, out=distances)
    distances *= scale
    return distances


def _complete(X: np.ndarray) -> np.ndarray:
    """Compute all distances between centered rows from float64 products."""
    norms = np.einsum("ij,ij->i", X, X, dtype=np.float64)
    distances = np.empty((len(X), len(X)), dtype=np.float32)
    for begin in range(0, len(X), _COLUMNS):
        part = slice(begin, begin + _COLUMNS)
        squared = norms[part, None] + norms - 2 * (X[part] @ X.T)
        distances[part] = np.sqrt(np.maximum(squared, 0, out=squared), out=squared)
    np.fill_diagonal(distances, 0)
    return distances


def _by_gpu(faiss: Any, X: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the t nearest neighbors of each row with faiss on all GPUs."""
    index = faiss.index_cpu_to_all_gpus(faiss.IndexFlatL2(X.shape[1]))
    index.add(X)
    distances, indices = np.empty((len(X), t), dtype=np.float32), np.empty((len(X), t), dtype=np.int32)
    for begin in range(0, len(X), _QUERIES):
        part = slice(begin, begin + _QUERIES)
        squared, indices[part] = index.search(X[part], t)
        distances[part] = np.sqrt(np.maximum(squared, 0))
    return distances, indices


def _include_self(distances: np.ndarray, indices: np.ndarray) -> None:
    """Make each row its own neighbor at distance 0, in place.

    If rounding has left a row out of its own neighbors, it replaces the farthest of them.
    """
    is_self = indices == np.arange(len(indices))[:, None]
    column = np.where(is_self.any(axis=1), is_self.argmax(axis=1), distances.argmax(axis=1))
    rows = np.arange(len(indices))
    distances[rows, column], indices[rows, column] = 0, rows
