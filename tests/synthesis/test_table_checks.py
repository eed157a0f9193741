from __future__ import annotations

from distillkit.synthesis import TreeSynthesizer
from distillkit.testing import parametrize_with_checks


@parametrize_with_checks([TreeSynthesizer(), TreeSynthesizer(selection="random", min_leaf=3)], modalities=["table"])
def test_contract(estimator, check):
    check(estimator)
