"""The nearest rows of every row, as a graph: n t numbers instead of n^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.neighbors._faiss import as_rows, gpu_of, load_faiss, origin_and_scale, to_float32
from distillkit.neighbors._nearest import exact_squares

__all__ = ["NeighborGraph", "neighbor_graph"]

_QUERIES = 4096  # rows whose neighbours are searched at a time
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
    backend : {"faiss", "faiss-gpu", "scikit-learn", "numpy"}
        What searched; "numpy" where the graph is complete, so that there was nothing to search.
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
        If faiss cannot be imported and scikit-learn does the work.

    Notes
    -----
    Rows are searched in float32, centred and scaled (with ``t == n`` there is nothing to search). Up to ``n t d = 2**27``
    distances are then taken by differences in float64; beyond that they are those of the search, or of float64
    products with ``t == n``. Time O(n^2 d); memory 8 bytes per edge, a float32 copy of X (float64 with ``t == n``) and
    blocks of 4,096 x t.
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
    small = to_float32(X, origin, scale)
    faiss = load_faiss()
    gpu = gpu_of(faiss, device) and t <= _GPU_MOST
    search = _searcher(faiss, small, t, gpu=gpu)
    distances = np.empty((len(X), t), dtype=np.float32)
    indices = np.empty((len(X), t), dtype=np.int32)
    for begin in range(0, len(X), _QUERIES):
        part = slice(begin, begin + _QUERIES)
        distances[part], indices[part] = search(small[part])
    _put_own(distances, indices)
    if exact:
        distances = _exact(X, indices, scale)
    backend = "scikit-learn" if faiss is None else "faiss-gpu" if gpu else "faiss"
    return NeighborGraph(distances, indices, scale, backend)


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


def _searcher(faiss: Any | None, X: np.ndarray, t: int, *, gpu: bool) -> Any:
    """Return a function of queries that gives distances and positions."""
    if faiss is None:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(n_neighbors=t, algorithm="brute").fit(X).kneighbors
    index = faiss.IndexFlatL2(X.shape[1])
    index = faiss.index_cpu_to_all_gpus(index) if gpu else index
    index.add(X)

    def search(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        squared, found = index.search(queries, t)
        return np.sqrt(np.maximum(squared, 0)), found

    return search


def _put_own(distances: np.ndarray, indices: np.ndarray) -> None:
    """Put each row at distance 0 from itself, in the place of its farthest neighbour where rounding left it out."""
    own = indices == np.arange(len(indices))[:, None]
    place = np.where(own.any(axis=1), own.argmax(axis=1), distances.argmax(axis=1))
    rows = np.arange(len(indices))
    distances[rows, place], indices[rows, place] = 0, rows
