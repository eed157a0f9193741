"""RandomSubset: uniform, stratified, honest weights."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.coresets import RandomSubset


def test_each_class_weighs_what_it_has(table):
    X, y = table
    model = RandomSubset(budget=5, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.sample_weight_, np.repeat([36.0, 18.0, 6.0], 5))


def test_every_row_is_as_likely_as_every_other():
    X, y = np.arange(20.0)[:, None], np.repeat([0, 1], 10)
    picks = np.concatenate([RandomSubset(budget=3, random_state=s).fit(X, y).sample_indices_ for s in range(800)])
    counts = np.bincount(picks, minlength=20)  # binomial, 800 draws with probability 0.3: deviation 13
    assert np.abs(counts - 240).max() < 5 * 13


@pytest.mark.parametrize("budget", [1, 7, 20, 200])
def test_a_continuous_target_gives_one_row_of_each_quantile_bin(numbers, budget):
    X, y = numbers
    model = RandomSubset(budget=budget, random_state=0).fit(X, y)
    bins = np.array_split(np.sort(y), budget)
    drawn = np.sort(model.y_distilled_)
    for value, own in zip(drawn, bins, strict=True):
        assert own.min() <= value <= own.max()
    np.testing.assert_allclose(np.sort(model.sample_weight_), np.sort([len(own) for own in bins]))


def test_weighted_means_are_unbiased(numbers):
    X, y = numbers
    means = []
    for seed in range(300):
        model = RandomSubset(budget=12, random_state=seed).fit(X, y)
        means.append(np.average(model.y_distilled_, weights=model.sample_weight_))
    assert np.mean(means) == pytest.approx(y.mean(), abs=5 * np.std(means) / np.sqrt(300))


def test_a_random_state_object_goes_on_where_it_was(table):
    state = np.random.RandomState(0)
    first, second = (RandomSubset(budget=3, random_state=state).fit(*table).sample_indices_ for _ in range(2))
    assert not np.array_equal(first, second)
