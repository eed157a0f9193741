"""Nearest rows, k-means and k-center: faiss where it can be imported, scikit-learn where it cannot."""

from distillkit.neighbors._faiss import gpu_wanted
from distillkit.neighbors._kcenter import KCenterResult, greedy_k_center
from distillkit.neighbors._kmeans import KMeansResult, kmeans
from distillkit.neighbors._nearest import nearest

__all__ = ["KCenterResult", "KMeansResult", "gpu_wanted", "greedy_k_center", "kmeans", "nearest"]
