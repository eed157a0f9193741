"""Weighted sampling: exact size, exact sum, unbiased, heavy rows certain."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.coresets.controls._random import var_opt


def threshold_by_bisection(weight, size):
    low, high = 0.0, weight.sum()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(1, weight / middle).sum() > size else (low, middle)
    return high


@pytest.mark.parametrize("size", [1, 3, 10, 29, 30])
def test_size_sum_and_weights_are_exact(size):
    for seed in range(20):
        rng = np.random.RandomState(seed)
        weight = rng.pareto(1.0, size=30) + 0.01
        picked, new = var_opt(weight, size, rng)
        assert len(set(picked.tolist())) == size
        assert new.sum() == pytest.approx(weight.sum())
        np.testing.assert_allclose(new, np.maximum(weight[picked], threshold_by_bisection(weight, size)), rtol=1e-9)
        assert set(np.flatnonzero(weight > threshold_by_bisection(weight, size) * (1 + 1e-9))) <= set(picked.tolist())


def test_each_weight_is_kept_in_expectation():
    weight = np.array([0.1, 0.2, 0.5, 1.0, 1.0, 3.0, 20.0])
    rng, total, runs = np.random.RandomState(0), np.zeros(7), 4000
    for _ in range(runs):
        picked, new = var_opt(weight, 3, rng)
        total[picked] += new
    threshold = threshold_by_bisection(weight, 3)
    deviation = np.sqrt(weight * np.maximum(threshold - weight, 0) / runs)
    assert (np.abs(total / runs - weight) <= 5 * deviation + 1e-9).all()


def test_equal_weights_are_sampled_evenly():
    rng = np.random.RandomState(0)
    counts = np.zeros(20)
    for _ in range(2000):
        counts[var_opt(np.full(20, 2.0), 5, rng)[0]] += 1
    assert np.abs(counts / 2000 - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 2000)
