"""k-means by faiss or by NumPy's products, with exact inertia, no empty clusters, and a stop between steps."""

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
from distillkit.neighbors._kmeans_start import draw_centres
from distillkit.neighbors._lloyd import lloyd
from distillkit.neighbors._threads import within_thread

__all__ = ["KMeansResult", "kmeans"]

_FUSED = 16  # columns up to which faiss finds the nearest centroid without writing down the products
_MAX_SEED = np.iinfo(np.int32).max  # faiss keeps its seed in an int32, and takes the clock for a negative one


@dataclass(frozen=True, eq=False)
class KMeansResult:
    """What `kmeans` found.

    Parameters
    ----------
    centroids : ndarray of shape (k, d), float64
        In the units of the rows; of unit length where `spherical`.
    labels : ndarray of shape (n,), int64
        Cluster of each row; each cluster has at least one.
    squared_distances : ndarray of shape (n,), float64
        From each row to the centroid of its cluster.
    inertia : float
        Their (weighted) sum.
    n_iter : int
        Steps of the run that was kept.
    backend : {"faiss-gpu", "faiss", "numpy", "copy"}
        What computed it; "copy" where each row is its own cluster.
    """

    centroids: np.ndarray
    labels: np.ndarray
    squared_distances: np.ndarray
    inertia: float
    n_iter: int
    backend: str


def kmeans(
    X: np.ndarray,
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
    """Cluster rows by Lloyd's k-means with a k-means++ start, using every row.

    Minimises ``sum_i w_i |x_i - c(i)|^2``. Rows are moved to their mean and scaled before they become float32, so
    a large common offset costs no precision; distances below about 3e-4 of the spread of the rows are still not
    told apart while clustering. Distances and inertia are computed anew in float64, against the final centroids
    (faiss's own objective ignores the weights and belongs to the centroids before the last step).

    Exactly k clusters come back, each with a row: a centroid that owns none is moved to the row farthest from its
    own centroid, until all own one; where there are fewer different rows than k, the largest clusters are halved.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Finite.
    k : int
        Clusters, 1 <= k <= n.
    weights : ndarray of shape (n,) or None
        Not negative; None counts each row once.
    max_iter : int
        Steps at most; fewer where no row changes hands any more.
    n_init : int
        Starts, of which the one with the lowest inertia is kept. The first is the one that ``n_init=1`` would take.
    spherical : bool
        Cluster directions: rows are scaled to unit length (rows of zeros stay), and so are centroids; squared
        distances are then ``2 - 2 cos``.
    seed : int
        0 <= seed < 2**31 - 1. Same seed, same result bit for bit, for any number of threads.
    device : {"auto", "cpu", "cuda"}
        See `gpu_wanted`.
    should_stop : callable or None
        Asked between the matrix products of the start, after each step (and each start) but the last; on True the
        centroids so far are kept. A start cut short draws the rows still lacking at once, by the distances known
        until then; at least one step is done. Steps taken one by one give the same centroids, bit for bit, as one call.

    Returns
    -------
    KMeansResult

    Raises
    ------
    DataError
        If k, the seed or a count is out of range, rows or weights are not finite, or there is no GPU for "cuda".

    Warns
    -----
    DistillkitWarning
        If faiss, which finds and uses GPUs, cannot be imported, and `device` is not "cpu".

    Notes
    -----
    Memory: a float32 copy of X and about 320 bytes per row. Start: `kmeans_plus_plus` with ``2 + log(k)`` trials,
    as scikit-learn's; Arthur and Vassilvitskii, SODA 2007. Steps on a GPU are faiss's (Johnson et al., arXiv:1702.08734), as
    are those on the CPU for rows of up to 16 columns, where they are up to four times faster than NumPy's. For wider rows
    `lloyd` takes NumPy's own products: the BLAS inside faiss's wheels does not know every processor, and was five times
    slower where it did not. Without faiss, `lloyd` serves all.
    """
    X = as_rows(X)
    _check(k, len(X), max_iter=max_iter, n_init=n_init, seed=seed)
    weights = None if weights is None else _check_weights(weights, len(X))
    narrow = X.shape[1] <= _FUSED and not spherical
    faiss = load_faiss(needed=device != "cpu") if narrow or device != "cpu" else None
    gpu = gpu_of(faiss, device)
    rows = _unit(X) if spherical else X
    if k == len(X):
        return KMeansResult(rows.astype(np.float64), np.arange(k), np.zeros(k), 0.0, 0, "copy")
    # directions are measured from the origin, so unit rows stay where they are
    origin, scale = (np.zeros(X.shape[1]), 1.0) if spherical else origin_and_scale(rows)
    small = to_float32(rows, origin, scale)
    backend = "faiss-gpu" if gpu else "faiss" if narrow and faiss is not None else "numpy"
    best: KMeansResult | None = None
    for start in _seeds(seed, n_init):
        if best is not None and should_stop is not None and should_stop():
            break
        trials = 2 + int(np.log(k))
        drawn = draw_centres(small, k, seed=start, trials=trials, weights=weights, should_stop=should_stop)
        init = small[drawn.indices]
        options: dict[str, Any] = {"max_iter": max_iter, "spherical": spherical, "should_stop": should_stop}
        if backend == "numpy":
            centres, labels, steps = lloyd(small, init, weights, **options)
        else:
            # a setting of OpenMP is that of the thread that makes it: no other one's, nor torch's there
            with threadpool_limits(1, user_api="openmp") if within_thread() else nullcontext():
                centres, labels, steps = _by_faiss(faiss, small, init, weights, gpu=gpu, **options)
        found = _measure(rows, weights, centres.astype(np.float64) / scale + origin, labels, steps, backend)
        best = found if best is None or found.inertia < best.inertia else best
    assert best is not None  # there is at least one start
    return best


def _check(k: int, n_rows: int, *, max_iter: int, n_init: int, seed: int) -> None:
    if not 1 <= k <= n_rows:
        raise DataError(f"k={k} clusters cannot be made of {n_rows} rows: give 1 <= k <= {n_rows}.")
    for name, value in (("max_iter", max_iter), ("n_init", n_init)):
        if value < 1:
            raise DataError(f"{name}={value} must be at least 1.")
    if not 0 <= seed < _MAX_SEED:
        raise DataError(f"seed={seed} is out of range: give 0 <= seed < {_MAX_SEED}.")


def _check_weights(weights: Any, n_rows: int) -> np.ndarray:
    values: np.ndarray = np.asarray(weights, dtype=np.float64)
    if values.shape != (n_rows,) or not np.isfinite(values).all() or (values < 0).any() or values.sum() <= 0:
        raise DataError(f"weights must be {n_rows} finite numbers, none negative and not all zero.")
    return values


def _unit(X: np.ndarray) -> np.ndarray:
    """Rows of length one; rows of zeros have no direction and stay."""
    largest = np.abs(X).max(axis=1, keepdims=True)
    rows: np.ndarray = X / np.where(
        largest > 0, largest, 1
    )  # first: squares of large or small values leave their range
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length > 0, length, 1)
    return rows


def _seeds(seed: int, n_init: int) -> list[int]:
    more = np.random.RandomState(seed).randint(_MAX_SEED, size=n_init - 1)
    return [int(seed), *(int(value) for value in more)]


def _measure(
    rows: np.ndarray, weights: np.ndarray | None, centroids: np.ndarray, labels: np.ndarray, steps: int, backend: str
) -> KMeansResult:
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
    trainer = faiss.Kmeans(
        X.shape[1],
        len(init),
        niter=max_iter if should_stop is None else 1,
        nredo=1,
        seed=0,  # nothing is left to chance: the start is given
        spherical=spherical,
        gpu=gpu,
        min_points_per_centroid=1,  # else a warning from C++ on stderr for n < 39 k
        max_points_per_centroid=len(X),  # else rows are silently left out for n > 256 k
    )
    weights = None if weights is None else (weights / weights.max()).astype(np.float32)
    trainer.train(X, weights=weights, init_centroids=init)
    steps, before = len(trainer.obj), None
    # one step at a time with faiss's own rule of convergence, so that the result is that of a single call
    while should_stop is not None and steps < max_iter and trainer.obj[-1] != before and not should_stop():
        before = trainer.obj[-1]
        trainer.train(X, weights=weights, init_centroids=trainer.centroids.copy())
        steps += 1
    labels = trainer.assign(X)[1].astype(np.int64)
    return trainer.centroids, labels, steps
