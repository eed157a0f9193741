"""Nearest-neighbor search, k-means and k-center clustering.

faiss computes on a GPU and wherever it is faster on the CPU; elsewhere NumPy's matrix products do.
"""

from distillkit.neighbors._chunked_kmeans import ChunkedKMeansResult
from distillkit.neighbors._dask import dask_kmeans
from distillkit.neighbors._empty_clusters import squared_distances_to_centers
from distillkit.neighbors._faiss import gpu_wanted
from distillkit.neighbors._graph import NeighborGraph, neighbor_graph
from distillkit.neighbors._kcenter import KCenterResult, greedy_k_center
from distillkit.neighbors._kmeans import KMeansResult, kmeans
from distillkit.neighbors._kmeans_start import KMeansStart, kmeans_plus_plus
from distillkit.neighbors._medoids import medoids, row_nearest_to_mean
from distillkit.neighbors._nearest import nearest

__all__ = [
    "ChunkedKMeansResult",
    "KCenterResult",
    "KMeansResult",
    "KMeansStart",
    "NeighborGraph",
    "dask_kmeans",
    "gpu_wanted",
    "greedy_k_center",
    "kmeans",
    "kmeans_plus_plus",
    "medoids",
    "nearest",
    "neighbor_graph",
    "row_nearest_to_mean",
    "squared_distances_to_centers",
]
