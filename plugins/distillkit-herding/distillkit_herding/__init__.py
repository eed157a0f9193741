"""Kernel herding for distillkit: selects rows whose kernel mean stays nearest to that of all rows.

The estimator is imported on first use, because distillkit imports this package to list its methods,
which must be fast.
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
