"""Herding for distillkit: rows picked one after another so that their mean stays the mean of all.

The estimators are imported on first use: distillkit imports this package to list its methods, which must cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillkit_herding._herding import HerdingCoreset
    from distillkit_herding._kernel_herding import KernelHerdingCoreset

__all__ = ["HerdingCoreset", "KernelHerdingCoreset"]


def __getattr__(name: str) -> Any:
    if name == "HerdingCoreset":
        from distillkit_herding._herding import HerdingCoreset

        return HerdingCoreset
    if name == "KernelHerdingCoreset":
        from distillkit_herding._kernel_herding import KernelHerdingCoreset

        return KernelHerdingCoreset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
