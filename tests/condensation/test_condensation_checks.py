from __future__ import annotations

from distillkit.condensation import BilevelDistiller, GradientMatchingDistiller, KernelDistiller
from distillkit.testing import parametrize_with_checks

SMALL = {"max_iter": 2, "width": 4, "hidden": (8,), "device": "cpu"}
TINY = {**SMALL, "outer_steps": 2, "inner_steps": 1}
POOL = {**SMALL, "pool_size": 2, "updates": 1}


@parametrize_with_checks(
    [
        GradientMatchingDistiller(0.5, **TINY),
        GradientMatchingDistiller(0.1, distance="l2", init="noise", **TINY),
        KernelDistiller(0.5, **POOL),
        KernelDistiller(0.1, learn_labels=True, norm="none", **POOL),
        KernelDistiller(0.1, feature_map="linear"),
        BilevelDistiller(0.5, inner_steps=2, **SMALL),
        BilevelDistiller(0.1, inner_steps=3, window=1, learn_labels=True, **SMALL),
    ]
)
def test_contract(estimator, check):
    check(estimator)
