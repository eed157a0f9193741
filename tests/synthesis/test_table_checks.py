from __future__ import annotations

from distillkit.synthesis import (
    CopulaSynthesizer,
    ForestSynthesizer,
    InterpolationSynthesizer,
    MixtureSynthesizer,
    SurrogateSynthesizer,
    TreeSynthesizer,
)
from distillkit.testing import parametrize_with_checks


@parametrize_with_checks(
    [TreeSynthesizer(), ForestSynthesizer(), CopulaSynthesizer(), CopulaSynthesizer(copula="empirical")],
    modalities=["table"],
)
def test_contract_of_tables(estimator, check):
    check(estimator)


@parametrize_with_checks([MixtureSynthesizer(), InterpolationSynthesizer()])
def test_contract(estimator, check):
    check(estimator)


@parametrize_with_checks([SurrogateSynthesizer()], modalities=["series"])
def test_contract_of_series(estimator, check):
    check(estimator)
