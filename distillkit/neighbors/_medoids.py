"""Medoids: the rows nearest to the center of their cluster, or to the mean of all rows."""

from __future__ import annotations

import numpy as np

from distillkit.neighbors._kmeans import KMeansResult
from distillkit.utils._moments import column_means

__all__ = ["medoids", "row_nearest_to_mean"]


def medoids(clustering: KMeansResult) -> np.ndarray:
    """Return, for each cluster, the position of the member that is nearest to its center.

    Parameters
    ----------
    clustering : KMeansResult
        Result of `kmeans` for n rows; every one of its k clusters has at least one member.

    Returns
    -------
    ndarray of shape (k,)
        Positions of the rows in the order of the clusters; all different, since no row is a member
        of two clusters. Among members that are equally near, the first row is returned.
    """
    # Sort the rows by cluster and, within each cluster, by distance (stable, so the first row wins
    # ties). The first row of each cluster is then its medoid.
    order = np.lexsort((clustering.squared_distances, clustering.labels))
    first = np.concatenate([[0], np.cumsum(np.bincount(clustering.labels))[:-1]])
    positions: np.ndarray = order[first]
    return positions


def row_nearest_to_mean(X: np.ndarray, weights: np.ndarray | None = None) -> int:
    """Return the position of the row that is nearest to the mean of all rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weights : ndarray of shape (n,) or None
        Weights of the rows in the mean; None gives equal weights.

    Returns
    -------
    int
        Among rows that are equally near, the first one.
    """
    difference = X - column_means(X, weights)
    return int(np.argmin(np.einsum("ij,ij->i", difference, difference)))
