from __future__ import annotations

from distillkit.condensation import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    KernelDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.testing import parametrize_with_checks

NETWORK = {"width": 4, "hidden": (8,), "device": "cpu"}
TINY = {"max_iter": 2, "outer_steps": 2, "inner_steps": 1, **NETWORK}
SHORT = {"max_iter": 2, "n_experts": 1, "expert_epochs": 2, "student_steps": 2, **NETWORK}
SMALL = {"max_iter": 2, **NETWORK}
POOL = {**SMALL, "pool_size": 2, "updates": 1}


@parametrize_with_checks(
    [
        GradientMatchingDistiller(0.5, **TINY),
        GradientMatchingDistiller(0.1, distance="l2", init="noise", **TINY),
        DistributionMatchingDistiller(0.2, max_iter=2, **NETWORK),
        DistributionMatchingDistiller(0.1, max_iter=2, loss="wasserstein", gradient_weight=1.0, **NETWORK),
        TrajectoryMatchingDistiller(0.2, **SHORT),
        KernelDistiller(0.5, **POOL),
        KernelDistiller(0.1, learn_labels=True, norm="none", **POOL),
        KernelDistiller(0.1, feature_map="linear"),
        BilevelDistiller(0.5, inner_steps=2, **SMALL),
        BilevelDistiller(0.1, inner_steps=3, window=1, learn_labels=True, **SMALL),
    ]
)
def test_contract(estimator, check):
    check(estimator)
