"""K-means of a dask array on the workers of dask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distillkit.exceptions import DataError, MissingPackageError
from distillkit.neighbors._chunk_steps import Label, merged
from distillkit.neighbors._chunked_kmeans import ChunkedKMeansResult, cluster_chunks, describe_chunks, never

__all__ = ["DaskChunks", "dask_kmeans", "is_dask"]

_FAN_IN = 8  # results that are merged at a time


def is_dask(X: Any) -> bool:
    """Tell whether X is a collection of dask."""
    return hasattr(X, "__dask_graph__")


class DaskChunks:
    """The chunks of a dask array, with the labels and weights of their rows.

    Parameters
    ----------
    X : dask array of shape (n, ...) or dask frame
        Chunks hold whole rows; others are made to.
    y, weight : dask array or array-like of shape (n,) or None

    Raises
    ------
    DataError
        If there are no rows, or labels or weights do not fit them.
    MissingPackageError
        If dask is not installed.
    """

    def __init__(self, X: Any, y: Any = None, weight: Any = None) -> None:
        try:
            import dask
            import dask.array
        except ImportError as exc:
            raise MissingPackageError("k-means of a dask array", ["dask"]) from exc
        self._dask: Any = dask
        array: Any = dask.array
        X = X.to_dask_array() if hasattr(X, "to_dask_array") else X
        if not isinstance(X, array.Array) or X.ndim < 2:
            raise DataError("X must be a dask array of rows (n, ...), or a dask frame of numbers.")
        self.shape, self.dtype = X.shape, X.dtype
        X = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
        columns = [_aligned(array, column, X, name) for name, column in (("y", y), ("sample_weight", weight))]
        self._parts = list(zip(*(_delayed(column, len(X.chunks[0])) for column in (X, *columns)), strict=True))

    def reduce(self, step: Callable[..., dict[Label, Any]], *arguments: Any) -> dict[Label, Any]:
        """Call ``step(chunk, number, *arguments)`` for each chunk, and return the merged results.

        The results are merged by the workers, in the order of the chunks, so that no machine holds
        those of all chunks, and the sum does not depend on the number of workers.
        """
        call, merge = self._dask.delayed(_on_chunk, pure=False), self._dask.delayed(merged, pure=False)
        # One copy of the centers serves all tasks.
        shared = self._dask.delayed(arguments, traverse=False, pure=False)
        parts = [call(step, part, number, shared) for number, part in enumerate(self._parts)]
        while len(parts) > 1:
            parts = [merge(parts[begin : begin + _FAN_IN]) for begin in range(0, len(parts), _FAN_IN)]
        (result,) = self._dask.compute(parts[0])
        if not result:
            raise DataError("X has no rows (n_samples = 0) of positive weight: at least one is needed.")
        return dict(result)

    def lengths(self) -> np.ndarray:
        """Return the number of rows of each chunk."""
        length = self._dask.delayed(len, pure=False)
        return np.array(self._dask.compute(*(length(X) for X, *_ in self._parts)))


def _on_chunk(step: Callable[..., Any], chunk: Any, number: int, arguments: tuple[Any, ...]) -> Any:
    return step(chunk, number, *arguments)


def _aligned(array: Any, column: Any, X: Any, name: str) -> Any:
    """Return labels or weights in the chunks of the rows."""
    if column is None:
        return None
    column = column.to_dask_array() if hasattr(column, "to_dask_array") else column
    known = not np.isnan(X.shape[0])
    if not isinstance(column, array.Array):
        values = np.asarray(column)
        if not known or values.shape != (X.shape[0],):
            raise DataError(
                f"{name} has shape {values.shape}, but X is a dask array of {X.shape[0]} rows: give a dask array with "
                "the same chunks."
            )
        return array.from_array(values, chunks=(X.chunks[0],))
    if (
        column.ndim != 1
        or (known and column.shape != X.shape[:1])
        or (not known and column.npartitions != X.numblocks[0])
    ):
        raise DataError(f"{name} has shape {column.shape}, but X has {X.shape[0]} rows: give one value for each row.")
    return column.rechunk((X.chunks[0],)) if known else column


def _delayed(column: Any, n_chunks: int) -> list[Any]:
    return [None] * n_chunks if column is None else list(column.to_delayed().ravel())


def dask_kmeans(
    X: Any,
    k: int,
    *,
    weights: Any = None,
    max_iter: int = 25,
    n_init: int = 3,
    tol: float = 1e-4,
    seed: int = 0,
) -> ChunkedKMeansResult:
    """Cluster the rows of a dask array by k-means on the workers of dask.

    Parameters
    ----------
    X : dask array of shape (n, ...) or dask frame
        Finite numbers. Each pass computes the chunks anew, unless X is persisted.
    k : int
        Number of clusters, 1 <= k <= n.
    weights : dask array or array-like of shape (n,) or None, default=None
        Weights of the rows, not negative; None gives equal weights.
    max_iter : int, default=25
        Largest number of Lloyd's steps over all rows.
    n_init : int, default=3
        Starts of the clustering of the sample, which take no pass over all rows.
    tol : float, default=1e-4
        Smallest relative fall of the cost in a step after which another step is done.
    seed : int, default=0
        Equal seeds give the same result for the same chunks, for any number of workers.

    Returns
    -------
    ChunkedKMeansResult

    Raises
    ------
    DataError
        If k is out of range, if X or the weights are invalid; the message names the chunk.
    MissingPackageError
        If dask is not installed.

    Notes
    -----
    The computation runs on the client of `dask.distributed` that is active, or else in threads of
    this process. It reads the rows three times, and once more for each step:

    1. Counts, means and ranges, and a uniform sample of up to 20,000 rows, which is clustered.
    2. A sample of about ``max(50 k, 20,000)`` rows, each drawn with a probability in proportion to
       its weight and its squared distance to that clustering, and weighted by its inverse. This
       importance sample is a coreset: it stands for the cost of all rows. It is clustered by
       `kmeans`. If the rows are no more than that, all of them are, and the result is that of
       `kmeans` on them.
    3. Lloyd's steps: the workers assign the rows of their chunks and sum them by cluster, and the
       sums are added in the order of the chunks.

    Each thread of a worker holds up to two chunks (one that is made or read while another is
    used), about 96 MiB of temporary arrays, the sample of step 2 (at most 64 MiB), and the sums
    and rows of up to eight chunks that it adds up, each of ``12 k d`` bytes. This process holds the
    samples and the centers.

    References
    ----------
    Bachem, Lucic and Krause, "Practical coreset constructions for machine learning",
    arXiv:1703.06476, for the importance sample.

    Examples
    --------
    >>> import dask.array
    >>> X = dask.array.from_array([[0.0], [2.0], [50.0], [51.0], [52.0], [53.0]], chunks=(2, 1))
    >>> result = dask_kmeans(X, 2)
    >>> sorted(result.centroids.ravel().tolist()), sorted(result.weights.tolist())
    ([1.0, 51.5], [2.0, 4.0])
    """
    chunks = DaskChunks(X, weight=weights)
    described = describe_chunks(chunks, seed)
    if not 1 <= k <= described[None].count:
        raise DataError(f"k={k} clusters cannot be made of {described[None].count} rows: give 1 <= k <= their number.")
    found = cluster_chunks(
        chunks, described, {None: k}, max_iter=max_iter, n_init=n_init, tol=tol, seed=seed, should_stop=never
    )
    return found[None]
