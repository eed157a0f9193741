"""Registration of this package with distillkit; targets are text, so that listing is fast."""

from __future__ import annotations

from collections.abc import Iterable

from distillkit import hookimpl
from distillkit.specs import MethodSpec

__all__ = ["distillkit_methods"]


@hookimpl
def distillkit_methods() -> Iterable[MethodSpec]:
    """Return the specification of kernel herding."""
    return [
        MethodSpec(
            name="kernel-herding",
            target="distillkit_herding:KernelHerdingCoreset",
            kind="coreset",
            summary="Rows whose Gaussian-kernel mean is nearest to that of their class, in ranking order",
            reference="Chen, Welling and Smola 2010, arXiv:1203.3472",
        ),
    ]
