"""The under-samplers of imbalanced-learn and the selectors of apricot as methods of distillkit.

The estimators are imported on first use, because distillkit imports this package to list its
methods, which must be fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillkit_samplers._apricot import ApricotCoreset
    from distillkit_samplers._under_sampler import UnderSamplerCoreset

_HOMES = {"ApricotCoreset": "_apricot", "UnderSamplerCoreset": "_under_sampler"}

__all__ = ["ApricotCoreset", "UnderSamplerCoreset"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
