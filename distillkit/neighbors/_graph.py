"""The nearest rows of every row, as a graph: n t numbers instead of n^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._blocked_neighbors import nearest_rows
from distillkit.neighbors._faiss import as_rows, gpu_of, load_faiss, origin_and_scale, to_float32
from distillkit.neighbors._nearest import exact_squares

__all__ = ["NeighborGraph", "neighbor_graph"]

_QUERIES = 4096  # rows whose neighbours a GPU searches at a time
_COLUMNS = 512  # rows whose distances to all are computed at a time where the graph is complete
_GPU_MOST = 2048  # neighbours that faiss's GPU search can return
_EXACT = 2**27  # differences of numbers that are taken to have distances in float64: about half a second


@dataclass(frozen=True, eq=False)
class NeighborGraph:
    """What `neighbor_graph` found.

    Parameters
    ----------
    distances : ndarray of shape (n, t), float64 or float32
        From each row to its neighbours, times `scale`; in no order. float64, and the same from both ends of an edge,
        where there are few enough of them.
    indices : ndarray of shape (n, t), int32
        The neighbours, the row itself (at distance 0) always among them.
    scale : float
        A power of two.
    backend : {"faiss-gpu", "numpy"}
        What computed.
    """

    distances: np.ndarray
    indices: np.ndarray
    scale: float
    backend: str


def neighbor_graph(X: np.ndarray, t: int, *, device: str = "auto") -> NeighborGraph:
    """Find the t nearest rows of each row, itself among them, in Euclidean distance, exhaustively.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Finite.
    t : int
        1 <= t <= n.
    device : {"auto", "cpu", "cuda"}
        See `gpu_wanted`.

    Returns
    -------
    NeighborGraph

    Raises
    ------
    DataError
        If t is out of range, or rows are not finite.

    Warns
    -----
    DistillkitWarning
        If faiss, which finds and uses GPUs, cannot be imported, and `device` is not "cpu".

    Notes
    -----
    Rows are searched in float32, centred and scaled (with ``t == n`` there is nothing to search). Up to ``n t d = 2**27``
    distances are then taken by differences in float64; beyond that they are those of the search, or of float64
    products with ``t == n``. Without a GPU NumPy's products serve (`nearest_rows`), which take each pair of rows once: faiss
    takes every pair twice, and its search for hundreds of neighbours costs a multiple of the products. Time O(n^2 d); memory
    8 bytes per edge and up to as many again, and two float32 copies of X (one of float64 with ``t == n``).
    """
    X = as_rows(X)
    if not 1 <= t <= len(X):
        raise DataError(f"t={t} neighbours cannot be found among {len(X)} rows: give 1 <= t <= {len(X)}.")
    origin, scale = origin_and_scale(X)
    exact = X.size * t <= _EXACT
    if t == len(X):
        indices = np.tile(np.arange(len(X), dtype=np.int32), (len(X), 1))
        distances = _exact(X, indices, scale) if exact else _complete((X - origin) * scale)
        return NeighborGraph(distances, indices, scale, "numpy")
    faiss = None if device == "cpu" else load_faiss()
    gpu = gpu_of(faiss, device) and t <= _GPU_MOST
    small = to_float32(X, origin, scale)
    distances, indices = _by_gpu(faiss, small, t) if gpu else nearest_rows(small, t)
    _put_own(distances, indices)
    if exact:
        distances = _exact(X, indices, scale)
    return NeighborGraph(distances, indices, scale, "faiss-gpu" if gpu else "numpy")


def _exact(X: np.ndarray, indices: np.ndarray, scale: float) -> np.ndarray:
    distances = exact_squares(X, X, indices)
    np.sqrt(distances, out=distances)
    distances *= scale
    return distances


def _complete(X: np.ndarray) -> np.ndarray:
    """All distances, from float64 products; X is centred."""
    norms = np.einsum("ij,ij->i", X, X, dtype=np.float64)
    distances = np.empty((len(X), len(X)), dtype=np.float32)
    for begin in range(0, len(X), _COLUMNS):
        part = slice(begin, begin + _COLUMNS)
        squared = norms[part, None] + norms - 2 * (X[part] @ X.T)
        distances[part] = np.sqrt(np.maximum(squared, 0, out=squared), out=squared)
    np.fill_diagonal(distances, 0)
    return distances


def _by_gpu(faiss: Any, X: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
    index = faiss.index_cpu_to_all_gpus(faiss.IndexFlatL2(X.shape[1]))
    index.add(X)
    distances, indices = np.empty((len(X), t), dtype=np.float32), np.empty((len(X), t), dtype=np.int32)
    for begin in range(0, len(X), _QUERIES):
        part = slice(begin, begin + _QUERIES)
        squared, indices[part] = index.search(X[part], t)
        distances[part] = np.sqrt(np.maximum(squared, 0))
    return distances, indices


def _put_own(distances: np.ndarray, indices: np.ndarray) -> None:
    """Put each row at distance 0 from itself, in the place of its farthest neighbour where rounding left it out."""
    own = indices == np.arange(len(indices))[:, None]
    place = np.where(own.any(axis=1), own.argmax(axis=1), distances.argmax(axis=1))
    rows = np.arange(len(indices))
    distances[rows, place], indices[rows, place] = 0, rows
