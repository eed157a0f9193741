from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kendalltau

from distillkit import metrics
from distillkit.exceptions import DataError


def test_label_robust_score_by_hand():
    # Improvement over random .2, loss against all rows .1: alpha = .5 * .2 - .5 * .1 = .05.
    value = metrics.label_robust_score(0.9, 0.8, 0.7, 0.5)
    assert value == pytest.approx((math.exp(0.05) - math.exp(-1)) / (math.e - math.exp(-1)))
    assert metrics.label_robust_score(0.9, 0.8, 0.7, 0.5, weight=1) > value
    assert metrics.label_robust_score(1, 0, 0, 1) == 0
    assert metrics.label_robust_score(1, 1, 1, 0, weight=1) == pytest.approx(1)


def test_augmentation_robust_score_by_hand():
    value = metrics.augmentation_robust_score(0.8, 0.5, 0.6, 0.5, weight=0.25)
    beta = 0.25 * 0.3 + 0.75 * 0.1
    assert value == pytest.approx((math.exp(beta) - math.exp(-1)) / (math.e - math.exp(-1)))
    assert metrics.augmentation_robust_score(0.4, 0.4, 0.3, 0.3) == pytest.approx(0.269, abs=5e-4)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("value", [64.9, -0.1, math.nan])
def test_accuracies_are_fractions(place, value):
    accuracies = [0.9, 0.8, 0.7, 0.6]
    accuracies[place] = value
    for score in (metrics.label_robust_score, metrics.augmentation_robust_score):
        with pytest.raises(DataError, match="divide percentages by 100"):
            score(*accuracies)


def test_the_rank_correlation_is_that_of_scipy_with_ties():
    rng = np.random.default_rng(0)
    for _ in range(20):
        first, second = rng.integers(0, 6, 9), rng.integers(0, 6, 9)
        names = [f"model {number}" for number in range(9)]
        value = metrics.selection_correlation(
            dict(zip(names, first, strict=True)), dict(reversed(list(zip(names, second, strict=True))))
        )
        assert value == pytest.approx(kendalltau(first, second).statistic, abs=1e-12)
        low, high = value.interval
        assert -1 <= low <= value <= high <= 1


def test_models_of_one_side_are_left_out_and_too_few_are_refused():
    whole = {"knn": 0.9, "tree": 0.8, "mlp": 0.7}
    assert metrics.selection_correlation({**whole, "other": 0.1}, whole) == 1
    with pytest.raises(DataError, match="2 models have both scores"):
        metrics.selection_correlation({"knn": 1, "tree": 2}, whole)
    with pytest.raises(DataError, match="not all equal"):
        metrics.selection_correlation(dict.fromkeys(whole, 0.5), whole)
    with pytest.raises(DataError, match="finite"):
        metrics.selection_correlation({**whole, "knn": math.nan}, whole)
