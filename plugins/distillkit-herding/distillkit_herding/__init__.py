"""Kernel herding for distillkit: rows picked one after another so that their mean in a kernel's space stays that of all.

The estimator is imported on first use: distillkit imports this package to list its methods, which must cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillkit_herding._kernel_herding import KernelHerdingCoreset

__all__ = ["KernelHerdingCoreset"]


def __getattr__(name: str) -> Any:
    if name == "KernelHerdingCoreset":
        from distillkit_herding._kernel_herding import KernelHerdingCoreset

        return KernelHerdingCoreset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
