"""Exact distances of rows to their centroids, and repair of empty clusters."""

from __future__ import annotations

import numpy as np

from distillkit.neighbors._faiss import BLOCK_BYTES
from distillkit.neighbors._threads import block_threads

__all__ = ["fill_empty", "squared_distances_to_centers"]


def squared_distances_to_centers(X: np.ndarray, centroids: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Squared distance of each row to the centroid of its cluster.

    Distances are computed from differences in float64, block by block.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    centroids : ndarray of shape (k, d)
    labels : ndarray of shape (n,)
        Cluster of each row, 0 to k - 1.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    squared = np.empty(len(X))
    step = max(1, BLOCK_BYTES // (8 * X.shape[1]))

    def fill_block(begin: int) -> None:
        part = slice(begin, begin + step)
        difference = np.subtract(X[part], centroids[labels[part]], dtype=np.float64)
        squared[part] = np.einsum("ij,ij->i", difference, difference)

    with block_threads(X.size) as map_blocks:
        list(map_blocks(fill_block, range(0, len(X), step)))
    return squared


def fill_empty(X: np.ndarray, centroids: np.ndarray, labels: np.ndarray, distances: np.ndarray) -> None:
    """Give each cluster at least one row, in place, without raising the distance of any row.

    The centroid of an empty cluster moves to the row that is farthest from the centroid of its
    cluster, and takes over all rows that are nearer to it. Each move places one more row exactly on
    a centroid, so the moves come to an end. If every row lies on its centroid, and so there are
    fewer different rows than clusters, the largest cluster is halved for each cluster that is still
    empty.

    Parameters
    ----------
    X : ndarray of shape (n, d), n >= k
    centroids : ndarray of shape (k, d)
    labels : ndarray of shape (n,)
        Cluster of each row, 0 to k - 1.
    distances : ndarray of shape (n,)
        Squared distances of the rows to the centroids of their clusters.
    """
    # 1. Move centroids of empty clusters to the farthest rows.
    counts = np.bincount(labels, minlength=len(centroids))
    while not counts.all() and distances.max() > 0:
        cluster, row = int(np.argmin(counts)), int(np.argmax(distances))
        centroids[cluster] = X[row]
        to_moved = squared_distances_to_centers(X, centroids, np.full(len(X), cluster))
        nearer = to_moved < distances
        labels[nearer], distances[nearer] = cluster, to_moved[nearer]
        counts = np.bincount(labels, minlength=len(centroids))
    # 2. All rows lie on centroids: give each remaining empty cluster half of the largest cluster.
    for cluster in np.flatnonzero(counts == 0).tolist():
        largest = int(np.argmax(counts))
        moved = np.flatnonzero(labels == largest)[: counts[largest] // 2]
        labels[moved], centroids[cluster] = cluster, centroids[largest]
        counts[cluster], counts[largest] = len(moved), counts[largest] - len(moved)
