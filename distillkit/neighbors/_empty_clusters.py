"""Exact distances to the own centroid, and clusters that own no row put right."""

from __future__ import annotations

import numpy as np

from distillkit.neighbors._faiss import BLOCK_BYTES
from distillkit.neighbors._threads import block_threads

__all__ = ["fill_empty", "squared_distances_to_centers"]


def squared_distances_to_centers(X: np.ndarray, centroids: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Squared distance of each row to the centroid that owns it, by differences in float64, block by block.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    centroids : ndarray of shape (k, d)
    labels : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
    """
    out = np.empty(len(X))
    step = max(1, BLOCK_BYTES // (8 * X.shape[1]))

    def of_block(begin: int) -> None:
        part = slice(begin, begin + step)
        difference = np.subtract(X[part], centroids[labels[part]], dtype=np.float64)
        out[part] = np.einsum("ij,ij->i", difference, difference)

    with block_threads(X.size) as each:
        list(each(of_block, range(0, len(X), step)))
    return out


def fill_empty(X: np.ndarray, centroids: np.ndarray, labels: np.ndarray, distances: np.ndarray) -> None:
    """Give each cluster at least one row, in place; never raises a row's distance.

    An empty cluster's centroid moves to the row farthest from its own centroid and takes all rows that are nearer
    to it. Each move leaves one row fewer off its centroid, so this ends. When every row lies on its centroid, there
    are fewer different rows than clusters: the largest cluster is then halved, again and again.

    Parameters
    ----------
    X : ndarray of shape (n, d), n >= k
    centroids : ndarray of shape (k, d)
    labels : ndarray of shape (n,)
    distances : ndarray of shape (n,)
        Squared distances to the owners.
    """
    counts = np.bincount(labels, minlength=len(centroids))
    while not counts.all() and distances.max() > 0:
        cluster, row = int(np.argmin(counts)), int(np.argmax(distances))
        centroids[cluster] = X[row]
        to_row = squared_distances_to_centers(X, centroids, np.full(len(X), cluster))
        nearer = to_row < distances
        labels[nearer], distances[nearer] = cluster, to_row[nearer]
        counts = np.bincount(labels, minlength=len(centroids))
    for cluster in np.flatnonzero(counts == 0).tolist():
        largest = int(np.argmax(counts))
        moved = np.flatnonzero(labels == largest)[: counts[largest] // 2]
        labels[moved], centroids[cluster] = cluster, centroids[largest]
        counts[cluster], counts[largest] = len(moved), counts[largest] - len(moved)
