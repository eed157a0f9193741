"""Clustering by k-means in faiss or NumPy, with exact inertia and without empty clusters."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from distillkit.exceptions import DataError
from distillkit.neighbors._empty_clusters import fill_empty, squared_distances_to_centers
from distillkit.neighbors._faiss import as_rows, gpu_of, load_faiss, origin_and_scale, to_float32
from distillkit.neighbors._kmeans_start import draw_centers
from distillkit.neighbors._lazy_rows import LazyRows
from distillkit.neighbors._lloyd import lloyd
from distillkit.neighbors._threads import forked, within_thread

__all__ = ["KMeansResult", "kmeans"]

# Number of columns up to which faiss finds the nearest centroids without storing the products,
# which makes it faster than NumPy.
_FUSED = 16
_MAX_SEED = np.iinfo(np.int32).max  # faiss stores seeds as int32, and seeds by the clock if negative


@dataclass(frozen=True, eq=False)
class KMeansResult:
    """Clustering of rows, the result of `kmeans`.

    Parameters
    ----------
    centroids : ndarray of shape (k, d), float64
        Centers of the clusters in the units of the rows; of unit length if `spherical`.
    labels : ndarray of shape (n,), int64
        Cluster of each row, 0 to k - 1; each cluster has at least one row.
    squared_distances : ndarray of shape (n,), float64
        Squared distance of each row to the centroid of its cluster.
    inertia : float
        The (weighted) sum of the squared distances.
    n_iter : int
        Number of steps of the best run.
    backend : {"faiss-gpu", "faiss", "numpy", "copy"}
        The library that clustered the rows; "copy" if each row is its own cluster.
    """

    centroids: np.ndarray
    labels: np.ndarray
    squared_distances: np.ndarray
    inertia: float
    n_iter: int
    backend: str


def kmeans(
    X: Any,
    k: int,
    *,
    weights: np.ndarray | None = None,
    max_iter: int = 25,
    n_init: int = 1,
    spherical: bool = False,
    seed: int = 0,
    device: str = "auto",
    should_stop: Callable[[], bool] | None = None,
) -> KMeansResult:
    """Cluster rows by Lloyd's k-means algorithm with k-means++ initialization, using all rows.

    The algorithm minimizes ``sum_i w_i |x_i - c(i)|^2``. Rows are centered and scaled before they
    are converted to float32, so a large common offset costs no precision. While clustering,
    distances below about 3e-4 of the spread of the rows still cannot be told apart. The returned
    distances and the inertia are recomputed in float64 for the final centroids. (The objective of
    faiss ignores the weights, and is that of the centroids before the last step.)

    The result has exactly k clusters with at least one row each. A centroid without rows is moved
    to the row that is farthest from the centroid of its cluster, until no cluster is empty. If X
    has fewer different rows than k, the largest clusters are halved.

    Parameters
    ----------
    X : ndarray or LazyRows of shape (n, d)
        Finite rows.
    k : int
        Number of clusters, 1 <= k <= n.
    weights : ndarray of shape (n,) or None
        Weights of the rows, not negative and not all zero; None gives equal weights.
    max_iter : int, default=25
        Largest number of steps; the algorithm ends earlier when no row changes its cluster.
    n_init : int, default=1
        Number of initializations, of which the result with the lowest inertia is returned. The
        first one is that of ``n_init=1``.
    spherical : bool, default=False
        Whether to cluster directions: rows (except rows of zeros) and centroids are scaled to unit
        length, and squared distances are ``2 - 2 cos``.
    seed : int, default=0
        Seed of the initialization, 0 <= seed < 2**31 - 1. Equal seeds give the same result bit for
        bit, for any number of threads.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where the steps run, see `gpu_wanted`.
    should_stop : callable or None
        Called between the matrix products of the initialization, and after each step and each run
        but the last. If it returns True, clustering ends with the current centroids. An
        initialization that ends early draws the missing rows all at once, by the distances known so
        far; at least one step is done in any case. Calling `should_stop` between steps does not
        change the centroids by a single bit.

    Returns
    -------
    KMeansResult

    Raises
    ------
    DataError
        If `k`, `seed`, `max_iter` or `n_init` is out of range, if X or the weights are invalid, or
        if `device` is "cuda" and there is no GPU.

    Warns
    -----
    DistillkitWarning
        If `device` is not "cpu" and faiss, which GPUs need, cannot be imported.

    Notes
    -----
    Memory holds a float32 copy of X, unless X is lazy, and about 320 bytes per row. The
    initialization is `kmeans_plus_plus` with ``2 + log(k)`` trials, as in scikit-learn.

    The steps are computed by faiss on a GPU, and on the CPU for rows of up to 16 columns, where it
    is faster than NumPy. For wider rows, spherical clustering on the CPU, or if faiss is not
    installed, `lloyd` uses NumPy's own matrix products: the BLAS library inside the faiss wheels is
    not optimized for every processor.

    References
    ----------
    Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
    Johnson, Douze and Jégou, "Billion-scale similarity search with GPUs", arXiv:1702.08734.
    """
    # 1. Check the arguments, and choose the library.
    X = as_rows(X)
    _check(k, len(X), max_iter=max_iter, n_init=n_init, seed=seed)
    weights = None if weights is None else _check_weights(weights, len(X))
    narrow = X.shape[1] <= _FUSED and not spherical
    faiss = load_faiss(needed=device != "cpu") if narrow or device != "cpu" else None
    gpu = gpu_of(faiss, device)
    if isinstance(X, LazyRows) and (spherical or narrow or gpu or k == len(X)):
        X = np.asarray(X)  # of these computations, some need all rows in memory
    rows = _unit(X) if spherical else X
    if k == len(X):
        return KMeansResult(rows.astype(np.float64), np.arange(k), np.zeros(k), 0.0, 0, "copy")
    # 2. Center and scale the rows; directions are relative to the origin, so unit rows stay as they
    # are.
    origin, scale = (np.zeros(X.shape[1]), 1.0) if spherical else origin_and_scale(rows)
    scaled = to_float32(rows, origin, scale)
    backend = "faiss-gpu" if gpu else "faiss" if narrow and faiss is not None else "numpy"
    # 3. Run the algorithm from each initialization, and return the best result.
    best: KMeansResult | None = None
    for start_seed in _seeds(seed, n_init):
        if best is not None and should_stop is not None and should_stop():
            break
        trials = 2 + int(np.log(k))
        initial = draw_centers(scaled, k, seed=start_seed, trials=trials, weights=weights, should_stop=should_stop)
        init = scaled[initial.indices]
        options: dict[str, Any] = {"max_iter": max_iter, "spherical": spherical, "should_stop": should_stop}
        if backend == "numpy":
            centers, labels, steps = lloyd(scaled, init, weights, **options)
        else:
            # The number of OpenMP threads is set for the calling thread only, so this limit affects
            # neither other threads nor torch in them. It keeps forked processes from waiting for
            # threads that the fork has not copied; the result is the same bit for bit.
            with threadpool_limits(1, user_api="openmp") if within_thread() or forked() else nullcontext():
                centers, labels, steps = _by_faiss(faiss, scaled, init, weights, gpu=gpu, **options)
        result = _result_of(rows, weights, centers.astype(np.float64) / scale + origin, labels, steps, backend)
        best = result if best is None or result.inertia < best.inertia else best
    assert best is not None  # there is at least one start
    return best


def _check(k: int, n_rows: int, *, max_iter: int, n_init: int, seed: int) -> None:
    """Check that the integer arguments are in range."""
    if not 1 <= k <= n_rows:
        raise DataError(f"k={k} clusters cannot be made of {n_rows} rows: give 1 <= k <= {n_rows}.")
    for name, value in (("max_iter", max_iter), ("n_init", n_init)):
        if value < 1:
            raise DataError(f"{name}={value} must be at least 1.")
    if not 0 <= seed < _MAX_SEED:
        raise DataError(f"seed={seed} is out of range: give 0 <= seed < {_MAX_SEED}.")


def _check_weights(weights: Any, n_rows: int) -> np.ndarray:
    """Return the weights in float64, after checking their shape and values."""
    values: np.ndarray = np.asarray(weights, dtype=np.float64)
    if values.shape != (n_rows,) or not np.isfinite(values).all() or (values < 0).any() or values.sum() <= 0:
        raise DataError(f"weights must be {n_rows} finite numbers, none negative and not all zero.")
    return values


def _unit(X: np.ndarray) -> np.ndarray:
    """Scale rows to length one, except rows of zeros, which have no direction."""
    # Divide by the largest value first, so that no square overflows or underflows.
    largest = np.abs(X).max(axis=1, keepdims=True)
    rows: np.ndarray = X / np.where(largest > 0, largest, 1)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length > 0, length, 1)
    return rows


def _seeds(seed: int, n_init: int) -> list[int]:
    """Return a seed for each initialization; the first is `seed` itself."""
    further_seeds = np.random.RandomState(seed).randint(_MAX_SEED, size=n_init - 1)
    return [int(seed), *(int(value) for value in further_seeds)]


def _result_of(
    rows: np.ndarray, weights: np.ndarray | None, centroids: np.ndarray, labels: np.ndarray, steps: int, backend: str
) -> KMeansResult:
    """Recompute the distances in float64, repair empty clusters, and sum up the inertia."""
    distances = squared_distances_to_centers(rows, centroids, labels)
    fill_empty(rows, centroids, labels, distances)
    inertia = float(distances.sum() if weights is None else distances @ weights)
    return KMeansResult(centroids, labels, distances, inertia, steps, backend)


def _by_faiss(
    faiss: Any,
    X: np.ndarray,
    init: np.ndarray,
    weights: np.ndarray | None,
    *,
    gpu: bool,
    max_iter: int,
    spherical: bool,
    should_stop: Callable[[], bool] | None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Run the steps of k-means in faiss, and return centroids, labels and the number of steps."""
    trainer = faiss.Kmeans(
        X.shape[1],
        len(init),
        niter=max_iter if should_stop is None else 1,
        nredo=1,
        seed=0,  # not used, since the initial centroids are given
        spherical=spherical,
        gpu=gpu,
        min_points_per_centroid=1,  # avoids a warning from C++ for n < 39 k
        max_points_per_centroid=len(X),  # otherwise faiss subsamples silently if n > 256 k
    )
    weights = None if weights is None else (weights / weights.max()).astype(np.float32)
    trainer.train(X, weights=weights, init_centroids=init)
    steps, previous_objective = len(trainer.obj), None
    # With `should_stop`, call faiss for one step at a time, and stop by its own rule of
    # convergence, so that the result is that of a single call.
    while should_stop is not None and steps < max_iter and trainer.obj[-1] != previous_objective and not should_stop():
        previous_objective = trainer.obj[-1]
        trainer.train(X, weights=weights, init_centroids=trainer.centroids.copy())
        steps += 1
    labels = trainer.assign(X)[1].astype(np.int64)
    return trainer.centroids, labels, steps
