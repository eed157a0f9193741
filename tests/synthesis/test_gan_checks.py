from __future__ import annotations

import pytest

from distillkit.synthesis import GANSynthesizer
from distillkit.testing import parametrize_with_checks

TINY = {"max_iter": 3, "width": 2, "latent": 4, "batch_size": 8, "pool": 10, "device": "cpu"}


@pytest.mark.filterwarnings("ignore:the generator may not have learned")
@pytest.mark.filterwarnings("ignore:y has one row of class")
@parametrize_with_checks(
    [GANSynthesizer(**TINY), GANSynthesizer(selection="random", check_every=2, max_seconds=60, **TINY)]
)
def test_contract(estimator, check):
    check(estimator)
