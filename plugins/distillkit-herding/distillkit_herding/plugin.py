"""What distillkit is told of this package; targets are text, so that listing them imports nothing."""

from __future__ import annotations

from collections.abc import Iterable

from distillkit import hookimpl
from distillkit.specs import MethodSpec

__all__ = ["distillkit_methods"]


@hookimpl
def distillkit_methods() -> Iterable[MethodSpec]:
    """Give both kinds of herding."""
    return [
        MethodSpec(
            name="herding",
            target="distillkit_herding:HerdingCoreset",
            kind="coreset",
            summary="Rows whose mean is nearest to the mean of their class, in ranking order",
            reference="Welling 2009, doi:10.1145/1553374.1553517; arXiv:1611.07725",
        ),
        MethodSpec(
            name="kernel-herding",
            target="distillkit_herding:KernelHerdingCoreset",
            kind="coreset",
            summary="Rows whose Gaussian-kernel mean is nearest to that of their class, in ranking order",
            reference="Chen, Welling and Smola 2010, arXiv:1203.3472",
        ),
    ]
