"""Distances between weighted samples, between distributions and between gradients.

Each distance is implemented once and serves both as an evaluation metric (NumPy) and as a training
loss (torch). The gradient distances and the losses need torch, so they are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from distillkit.distances._divergence import js_divergence, kl_divergence
from distillkit.distances._mmd import median_bandwidth, mmd
from distillkit.distances._sinkhorn import sinkhorn_divergence
from distillkit.distances._squared import squared_distances
from distillkit.distances._wasserstein import sliced_wasserstein, wasserstein

if TYPE_CHECKING:
    from distillkit.distances._gradient import GRADIENT_DISTANCES as GRADIENT_DISTANCES
    from distillkit.distances._gradient import gradient_distance as gradient_distance
    from distillkit.distances._gradient import gradient_similarity as gradient_similarity
    from distillkit.distances._losses import js_loss as js_loss
    from distillkit.distances._losses import kl_loss as kl_loss
    from distillkit.distances._losses import mean_loss as mean_loss
    from distillkit.distances._losses import mmd_loss as mmd_loss
    from distillkit.distances._losses import sinkhorn_loss as sinkhorn_loss
    from distillkit.distances._losses import wasserstein_loss as wasserstein_loss

_LAZY = {
    **dict.fromkeys(("GRADIENT_DISTANCES", "gradient_distance", "gradient_similarity"), "_gradient"),
    **dict.fromkeys(("js_loss", "kl_loss", "mean_loss", "mmd_loss", "sinkhorn_loss", "wasserstein_loss"), "_losses"),
}

__all__ = [  # noqa: PLE0604 (all are strings)
    *_LAZY,
    "js_divergence",
    "kl_divergence",
    "median_bandwidth",
    "mmd",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "squared_distances",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'distillkit.distances' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"distillkit.distances.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
