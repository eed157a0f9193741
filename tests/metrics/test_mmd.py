from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics.pairwise import rbf_kernel

from distillkit import distances, metrics
from distillkit.distilled import DistilledSet
from distillkit.metrics import Reference, _gaussian_sums, _mmd


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def kernel(X, Y, h):
    return sum(rbf_kernel(X, Y, gamma=1 / (2 * (scale * h) ** 2)) for scale in (0.25, 0.5, 1, 2, 4)) / 5


def exact(X, S, weight, h):
    a, b = np.full(len(X), 1 / len(X)), weight / weight.sum()
    return a @ kernel(X, X, h) @ a + b @ kernel(S, S, h) @ b - 2 * a @ kernel(X, S, h) @ b


@pytest.mark.parametrize("features", [None, "pca"])
def test_kernels_of_scikit_learn(digits, features):
    X, y = digits
    rng = np.random.default_rng(0)
    rows = rng.choice(len(X), 60, replace=False)
    small = DistilledSet(X[rows] + rng.normal(0, 0.1, (60, 64)), y[rows], rng.random(60), classes=np.arange(10))
    reference = Reference(X, y).without(rows[:30])
    h = _mmd.bandwidth_of(reference, features, 0)
    F, S = reference.features(features), reference.extractor(features).transform(small.X)
    expected = sum(
        np.mean(reference.y == k) * exact(F[reference.y == k], S[small.y == k], small.sample_weight[small.y == k], h)
        for k in range(10)
    )
    value = metrics.mmd(reference, None, small, features=features)
    assert value == pytest.approx(expected, rel=1e-9)
    assert value.error is None
    assert value.features == (reference.extractor("pca").identity if features else "")


def test_the_bandwidth_is_the_median_distance(digits):
    X, y = digits[0][:500], digits[1][:500]
    assert _mmd.bandwidth_of(Reference(X, y), None, 0) == distances.median_bandwidth(X)


def test_single_precision_and_blocks_agree_with_double(digits, monkeypatch):
    X, y = digits
    small = DistilledSet(X[:300] + 0.01, y[:300], classes=np.arange(10))
    value = metrics.mmd(X, y, small)
    monkeypatch.setattr(_gaussian_sums, "_BLOCK", (50, 60))
    assert metrics.mmd(X, y, small) == pytest.approx(value, rel=1e-9)
    monkeypatch.setattr(_gaussian_sums, "_CANCELLATION", dict.fromkeys(_gaussian_sums._CANCELLATION, -1.0))
    assert metrics.mmd(X, y, small) == pytest.approx(value, rel=1e-9)
    monkeypatch.undo()
    monkeypatch.setattr(_gaussian_sums, "_SINGLE_VALUES", 0)
    assert metrics.mmd(X, y, small) == pytest.approx(value, abs=1e-7)
    assert metrics.mmd(X, y, DistilledSet(X, y, classes=np.arange(10))) == pytest.approx(0, abs=1e-7)


def test_the_printed_error_is_that_of_the_random_rows(digits, monkeypatch):
    X = digits[0]
    small = DistilledSet(X[:50])
    whole = metrics.mmd(X, None, small)
    monkeypatch.setattr(_mmd, "_row_limit", lambda _: 400)
    rng = np.random.default_rng(0)
    deviations = []
    for _ in range(30):  # other values in the last place draw other rows
        value = metrics.mmd(X * (1 + 1e-9 * rng.random()), None, small)
        assert value.error > 0
        assert "random part" in value.note
        deviations.append((value - whole) / value.error)
    assert 0.6 < np.sqrt(np.mean(np.square(deviations))) < 1.5


def test_the_order_of_the_rows_changes_nothing(digits):
    X, y = digits
    rng = np.random.default_rng(4)
    small = DistilledSet(X[:80], y[:80], rng.random(80), classes=np.arange(10))
    order, small_order = rng.permutation(len(X)), rng.permutation(80)
    shuffled = DistilledSet(
        small.X[small_order], small.y[small_order], small.sample_weight[small_order], classes=small.classes
    )
    assert metrics.mmd(X[order], y[order], shuffled) == pytest.approx(metrics.mmd(X, y, small), rel=1e-10)
