"""Distances between weighted samples, between distributions and between gradients: written once, used as metric and as loss.

Those of gradients need torch and are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from distillkit.distances._divergence import js_divergence, kl_divergence
from distillkit.distances._mmd import median_bandwidth, mmd
from distillkit.distances._samples import squared_distances
from distillkit.distances._wasserstein import sliced_wasserstein, wasserstein

if TYPE_CHECKING:
    from distillkit.distances._gradient import GRADIENT_DISTANCES as GRADIENT_DISTANCES
    from distillkit.distances._gradient import gradient_distance as gradient_distance
    from distillkit.distances._gradient import gradient_similarity as gradient_similarity

_LAZY = ("GRADIENT_DISTANCES", "gradient_distance", "gradient_similarity")

__all__ = [  # noqa: PLE0604 (all are strings)
    *_LAZY,
    "js_divergence",
    "kl_divergence",
    "median_bandwidth",
    "mmd",
    "sliced_wasserstein",
    "squared_distances",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'distillkit.distances' has no attribute {name!r}")
    value = getattr(importlib.import_module("distillkit.distances._gradient"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
