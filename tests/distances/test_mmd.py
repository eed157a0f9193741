from __future__ import annotations

from itertools import combinations
from math import dist, exp, inf

import numpy as np
import pytest

from distillkit.distances import median_bandwidth, mmd
from distillkit.exceptions import DataError


def brute_force(X, Y, a, b, h):
    def kernel(x, y):
        return sum(exp(-(dist(x, y) ** 2) / (2 * (s * h) ** 2)) for s in (0.25, 0.5, 1, 2, 4)) / 5

    def mean(P, p, Q, q):
        return sum(p[i] * q[j] * kernel(P[i], Q[j]) for i in range(len(P)) for j in range(len(Q))) / (sum(p) * sum(q))

    return mean(X, a, X, a) + mean(Y, b, Y, b) - 2 * mean(X, a, Y, b)


def test_the_double_loop_with_weights():
    rng = np.random.default_rng(0)
    X, Y, a, b = rng.normal(size=(12, 3)), rng.normal(1, 1, size=(7, 3)), rng.random(12), rng.random(7)
    value = mmd(X, Y, x_weight=a, y_weight=b, bandwidth=0.7)
    assert value == pytest.approx(brute_force(X, Y, a, b, 0.7), rel=1e-10)


def test_the_median_is_of_both_samples():
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(8, 2)), rng.normal(3, 1, size=(9, 2))
    both = np.concatenate([X, Y])
    h = np.median([dist(x, y) for x, y in combinations(both, 2)])
    assert median_bandwidth(both) == pytest.approx(h)
    assert mmd(X, Y) == pytest.approx(brute_force(X, Y, np.ones(8), np.ones(9), h))


def test_two_points_far_apart_reach_the_upper_bound():
    assert mmd([[0.0]], [[1e6]], bandwidth=1.0) == pytest.approx(2.0)


def test_a_shift_is_seen_more_the_larger_it_is():
    X = np.random.default_rng(2).normal(size=(200, 3))
    values = [mmd(X, X + shift, bandwidth=2.0) for shift in (0.0, 0.1, 0.5, 2.0)]
    assert values == sorted(values)


def test_equal_rows_do_not_shrink_the_median():
    rows = np.repeat([[0.0, 0.0], [3.0, 4.0]], 50, axis=0)
    assert median_bandwidth(rows) == pytest.approx(5.0)
    assert median_bandwidth(rows[:1]) == 1.0
    assert mmd(rows[:50], rows[:10]) == 0.0


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, inf, "mean"])
def test_bandwidths_that_cannot_be(bandwidth):
    with pytest.raises(DataError, match="bandwidth="):
        mmd([[0.0]], [[1.0]], bandwidth=bandwidth)
