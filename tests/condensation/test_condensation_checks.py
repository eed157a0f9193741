from __future__ import annotations

from distillkit.condensation import GradientMatchingDistiller
from distillkit.testing import parametrize_with_checks

TINY = {"max_iter": 2, "width": 4, "hidden": (8,), "outer_steps": 2, "inner_steps": 1, "device": "cpu"}


@parametrize_with_checks(
    [GradientMatchingDistiller(0.5, **TINY), GradientMatchingDistiller(0.1, distance="l2", init="noise", **TINY)]
)
def test_contract(estimator, check):
    check(estimator)
