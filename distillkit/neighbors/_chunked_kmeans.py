"""K-means of rows in chunks that are never in memory together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from distillkit.neighbors._chunk_steps import (
    Assignment,
    Description,
    Label,
    Sample,
    Target,
    assign_chunk,
    describe_chunk,
    moved,
    sample_chunk,
)
from distillkit.neighbors._kmeans import kmeans

__all__ = ["ChunkedKMeansResult", "Chunks", "cluster_chunks", "describe_chunks"]

_PER_CENTER, _LEAST, _SAMPLE_BYTES = 50, 20_000, 2**26  # rows, rows and bytes of the weighted sample
_ROUGH_ITER = 5  # steps of the rough clustering, by which the sample is drawn


class Chunks(Protocol):
    """Chunks of rows on which some workers do the same step."""

    def reduce(self, step: Callable[..., dict[Label, Any]], *arguments: Any) -> dict[Label, Any]:
        """Call ``step(chunk, number, *arguments)`` for each chunk, and merge the results."""


@dataclass(frozen=True, eq=False)
class ChunkedKMeansResult:
    """Clustering of rows in chunks.

    Parameters
    ----------
    centroids : ndarray of shape (k, d), float64
        Means of the clusters.
    weights : ndarray of shape (k,)
        Sums of the weights of the rows of each cluster; their number, without weights.
    inertia : float
        Weighted sum of the squared distances of the rows to the centroids of their clusters.
    members : ndarray of shape (k, d)
        The row nearest to the center of each cluster.
    places : ndarray of shape (k, 2), int64
        Chunk of each of these rows, and its position in the chunk.
    n_rows : int
        Number of rows of positive weight.
    n_iter : int
        Passes over all rows in which centers moved.
    """

    centroids: np.ndarray
    weights: np.ndarray
    inertia: float
    members: np.ndarray
    places: np.ndarray
    n_rows: int
    n_iter: int


def describe_chunks(chunks: Chunks, seed: int) -> dict[Label, Description]:
    """Return the counts, moments and a sample of each group, in the first pass over the rows."""
    described: dict[Label, Description] = chunks.reduce(describe_chunk, seed)
    return described


def cluster_chunks(
    chunks: Chunks,
    described: Mapping[Label, Description],
    sizes: Mapping[Label, int],
    *,
    max_iter: int,
    n_init: int,
    tol: float,
    seed: int,
    should_stop: Callable[[], bool],
) -> dict[Label, ChunkedKMeansResult]:
    """Cluster the rows of each group; see `dask_kmeans`.

    Parameters
    ----------
    chunks : Chunks
    described : dict of label to Description
        From `describe_chunks`.
    sizes : dict of label to int
        Clusters of each group, at most as many as it has rows.
    max_iter, n_init, tol, seed
        See `dask_kmeans`.
    should_stop : callable
        Called between the passes; where it returns True, the centers move no more.
    """
    # 1. Cluster a uniform sample roughly, and draw another one by the distances to its centers.
    rough = {label: _rough(one, sizes[label], seed) for label, one in described.items()}
    samples: dict[Label, Sample] = chunks.reduce(sample_chunk, rough, seed)
    # 2. Cluster that sample well; its rows have the weights of all rows.
    targets = {
        label: _start(rough[label], sample, sizes[label], n_init=n_init, seed=seed) for label, sample in samples.items()
    }
    # 3. Move the centers of all groups by Lloyd's steps over all rows.
    steps, open_groups = dict.fromkeys(targets, 0), set(targets)
    found: dict[Label, Assignment] = chunks.reduce(assign_chunk, targets)
    for step in range(1, max_iter + 1):
        if not open_groups or should_stop():
            break
        before = targets
        targets = {
            label: _moved(target, found[label]) if label in open_groups else target for label, target in before.items()
        }
        costs = {label: one.cost for label, one in found.items()}
        found = chunks.reduce(assign_chunk, targets)
        for label in list(open_groups):
            steps[label] = step
            still = np.array_equal(targets[label].centers, before[label].centers)
            if still or found[label].cost >= costs[label] * (1 - tol):
                open_groups.discard(label)
    # 4. The means of the clusters are the result.
    return {label: _result(targets[label], one, described[label].count, steps[label]) for label, one in found.items()}


def _rough(described: Description, k: int, seed: int) -> Target:
    """Return rough centers, the scaling of the rows, and an estimate of the cost."""
    origin = described.sums / described.mass
    largest = float(np.maximum(described.high - origin, origin - described.low).max())
    scale = math.ldexp(1.0, -max(math.frexp(largest)[1], -1000))
    size = max(_PER_CENTER * k, _LEAST)
    size = max(k, min(size, _SAMPLE_BYTES // (described.rows.itemsize * len(origin))))
    target = Target(origin, scale, np.zeros((1, len(origin)), np.float32), described.mass, 0.0, size, described.count)
    if size >= described.count:
        return target
    rows = described.rows
    found = kmeans(
        rows, min(k, max(1, len(rows) // 4)), weights=described.weights, max_iter=_ROUGH_ITER, seed=seed, device="cpu"
    )
    # In the units of float32, in which the chunks measure their distances.
    cost = found.inertia * scale**2 * described.mass / described.weights.sum()
    target = moved(target, (found.centroids - origin) * scale)
    return Target(origin, scale, target.centers, described.mass, cost, size, described.count)


def _start(target: Target, sample: Sample, k: int, *, n_init: int, seed: int) -> Target:
    found = kmeans(sample.rows, k, weights=sample.weights, n_init=n_init, seed=seed, device="cpu")
    return moved(target, (found.centroids - target.origin) * target.scale)


def _moved(target: Target, found: Assignment) -> Target:
    """Move each center to the mean of its rows, and centers without rows to the worst rows."""
    mass = found.masses[:, None]
    means = (found.sums / np.where(mass > 0, mass, 1) - target.origin) * target.scale
    centers = np.where(mass > 0, means, target.centers)
    empty = np.flatnonzero(found.masses == 0)
    far = found.far_rows[found.far_costs > 0][: len(empty)]
    centers[empty[: len(far)]] = far
    return moved(target, centers)


def _result(target: Target, found: Assignment, n_rows: int, n_iter: int) -> ChunkedKMeansResult:
    masses, places, members = found.masses.copy(), found.near_places.copy(), found.near_rows.copy()
    safe = np.where(masses > 0, masses, 1)[:, None]
    centers = target.centers / target.scale + target.origin
    centroids = np.where(masses[:, None] > 0, found.sums / safe, centers)
    # Moving the center of a cluster to its mean lowers the cost by its mass times the squared step.
    gain = float(masses @ np.square(centroids - centers).sum(axis=1))
    # There are fewer different rows than clusters: the largest clusters are halved.
    for cluster in np.flatnonzero(masses == 0):
        largest = int(np.argmax(masses))
        masses[cluster] = masses[largest] = masses[largest] / 2
        for values in (centroids, members, places):
            values[cluster] = values[largest]
    return ChunkedKMeansResult(centroids, masses, max(found.cost - gain, 0.0), members, places, n_rows, n_iter)


def never() -> bool:
    """Tell that nothing asks the passes to stop."""
    return False
