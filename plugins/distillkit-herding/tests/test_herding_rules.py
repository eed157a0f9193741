"""Tests of the selection rule against brute force and against random subsets."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from distillkit_herding._gaussian import herd_gaussian, median_bandwidth
from scipy.spatial.distance import cdist, pdist
from sklearn.datasets import load_digits

from distillkit.coresets import HerdingCoreset


def kernel_of(points, bandwidth):
    return np.exp(-cdist(points, points, "sqeuclidean") / (2 * bandwidth**2))


def discrepancy(kernel, picks):
    """Squared maximum mean discrepancy of the picked rows to all rows."""
    return kernel.mean() - 2 * kernel[picks].mean() + kernel[np.ix_(picks, picks)].mean()


def brute_gaussian(points, size, bandwidth):
    """The row that makes the discrepancy smallest, by computing it for every row."""
    kernel, picks = kernel_of(points, bandwidth), []
    for _ in range(size):
        left = [i for i in range(len(points)) if i not in picks]
        picks.append(min(left, key=lambda i: discrepancy(kernel, [*picks, i])))
    return np.array(picks)


def paper_gaussian(points, size, bandwidth):
    """The rule as it stands in the paper."""
    kernel, picks = kernel_of(points, bandwidth), []
    for step in range(size):
        scores = kernel.mean(axis=1) - kernel[:, picks].sum(axis=1) / (step + 1)
        scores[picks] = -np.inf
        picks.append(int(np.argmax(scores)))
    return np.array(picks)


CASES = [(seed, n, d) for seed in range(4) for n, d in ((1, 1), (2, 3), (9, 2), (40, 5))]


@pytest.mark.parametrize(("seed", "n", "d"), CASES)
def test_kernel_herding_is_the_rule_and_the_greedy_step(seed, n, d):
    points = np.random.default_rng(seed).gamma(1.0, size=(n, d))
    bandwidth = 0.5 + 0.5 * seed
    for size in {1, (n + 1) // 2}:
        picks, error = herd_gaussian(points, size, bandwidth)
        assert picks.tolist() == paper_gaussian(points, size, bandwidth).tolist()
        assert picks.tolist() == brute_gaussian(points, size, bandwidth).tolist()
        assert error**2 == pytest.approx(discrepancy(kernel_of(points, bandwidth), picks), abs=1e-12)


def test_ranking():
    points = np.random.default_rng(0).normal(size=(30, 3))
    full, error = herd_gaussian(points, 30, 1.0)
    assert sorted(full.tolist()) == list(range(30))  # without replacement
    assert error == pytest.approx(0, abs=1e-7)
    for size in (1, 7, 29):
        assert herd_gaussian(points, size, 1.0)[0].tolist() == full[:size].tolist()


def test_far_from_the_origin_nothing_cancels():
    points = (
        np.random.default_rng(0).integers(0, 2**10, size=(200, 4)) / 2.0**8
    )  # exact in float64 at any of these offsets
    far = points + 2.0**30
    assert herd_gaussian(far, 60, 2.0)[0].tolist() == herd_gaussian(points, 60, 2.0)[0].tolist()


def test_equal_rows():
    points = np.ones((6, 2))
    assert herd_gaussian(points, 4, median_bandwidth(points, np.random.RandomState(0)))[0].tolist() == [0, 1, 2, 3]


def digits():
    X, y = load_digits(return_X_y=True)
    return [X[y == label] for label in range(10)]


def test_on_digits_kernel_herding_beats_random_and_mostly_mean_herding_in_its_own_terms():
    rng = np.random.default_rng(0)
    better = 0
    for points in digits():
        bandwidth = median_bandwidth(points, np.random.RandomState(0))
        kernel = kernel_of(points, bandwidth)
        random = np.mean([discrepancy(kernel, rng.choice(len(points), 10, replace=False)) for _ in range(50)])
        ours = herd_gaussian(points, 10, bandwidth)[1] ** 2
        assert 2 * ours < random
        better += ours < discrepancy(kernel, HerdingCoreset(budget=10).fit(points).sample_indices_)
    assert better >= 8  # greedy steps are not the optimum: in one class mean herding comes out lower


@pytest.mark.parametrize("block_bytes", [1, 5_000, 64 * 2**20])
def test_the_size_of_a_block_changes_nothing(block_bytes):
    points = np.random.default_rng(0).normal(size=(150, 4))
    picks, error = herd_gaussian(points, 20, 1.5, block_bytes=block_bytes)
    assert picks.tolist() == brute_gaussian(points, 20, 1.5).tolist()
    assert error**2 == pytest.approx(discrepancy(kernel_of(points, 1.5), picks), abs=1e-12)


def test_memory_is_bounded_by_the_block():
    points = np.random.default_rng(0).normal(size=(5_000, 4))
    tracemalloc.start()
    try:
        herd_gaussian(points, 3, 1.0, block_bytes=2**20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20  # all kernel values would take 200 MB


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_agree(dtype):
    points = load_digits().data[:300].astype(dtype)
    bandwidth = median_bandwidth(points, np.random.RandomState(0))
    assert (
        herd_gaussian(points, 20, bandwidth)[0].tolist() == paper_gaussian(points.astype(float), 20, bandwidth).tolist()
    )


def test_median_bandwidth():
    points = np.random.default_rng(0).normal(size=(200, 3)) + 1e4
    assert median_bandwidth(points, np.random.RandomState(0)) == pytest.approx(np.median(pdist(points)), rel=1e-6)
    many = np.random.default_rng(1).normal(size=(3_000, 3))
    drawn = median_bandwidth(many, np.random.RandomState(0))
    assert drawn == pytest.approx(np.median(pdist(many)), rel=0.05)
    assert drawn == median_bandwidth(many, np.random.RandomState(0))


@pytest.mark.parametrize(
    ("points", "expected"), [([[5.0]], 1.0), ([[3.0], [3.0], [3.0]], 1.0), ([[0.0]] * 9 + [[4.0]], 4.0)]
)
def test_median_bandwidth_of_equal_rows(points, expected):
    assert median_bandwidth(np.array(points), np.random.RandomState(0)) == pytest.approx(expected)
