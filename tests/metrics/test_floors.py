from __future__ import annotations

import functools

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.metrics import Reference, floors, random_sets


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def small_set(X, y, counts, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.choice(np.flatnonzero(y == k), n, replace=False) for k, n in enumerate(counts)])
    return DistilledSet(X[rows], y[rows], rng.random(len(rows)), rows, classes=np.unique(y))


def test_random_sets_have_the_make_up_of_the_set(digits):
    X, y = digits
    small = small_set(X, y, [3, 0, 5, 1, 2, 2, 2, 2, 2, 7])
    reference = Reference(X, y)
    drawn = list(random_sets(reference, small, 4))
    assert len(drawn) == 4
    for each in drawn:
        np.testing.assert_array_equal(np.bincount(each.y, minlength=10), np.bincount(small.y, minlength=10))
        np.testing.assert_array_equal(each.X, X[each.indices])
        assert len(np.unique(each.indices)) == len(small)
        for label in np.unique(y):
            np.testing.assert_array_equal(
                np.sort(each.sample_weight[each.y == label]), np.sort(small.sample_weight[small.y == label])
            )
    assert len({tuple(each.indices) for each in drawn}) == 4


def test_random_sets_do_not_depend_on_the_order_of_the_rows(digits):
    X, y = digits
    order = np.random.default_rng(1).permutation(len(X))
    small = small_set(X, y, [2] * 10)
    for first, second in zip(
        random_sets(Reference(X, y), small, 2), random_sets(Reference(X[order], y[order]), small, 2), strict=True
    ):
        np.testing.assert_array_equal(first.X, second.X)


def test_every_training_row_is_drawn_equally_often():
    X = np.random.default_rng(0).normal(size=(20, 2))
    counts = sum(
        np.bincount(each.indices, minlength=20) for each in random_sets(Reference(X), DistilledSet(X[:5]), 2000)
    )
    expected, spread = 2000 / 4, np.sqrt(2000 * 0.25 * 0.75)
    assert np.abs(counts - expected).max() < 4.5 * spread


@pytest.mark.parametrize("metric", [metrics.mmd, functools.partial(metrics.mmd, features="pca"), "mmd", "coverage"])
def test_floors_are_the_metric_of_random_rows_with_and_without_themselves(metric, digits):
    X, y = digits
    small = small_set(X, y, [4] * 10)
    result = floors(metric, X, y, small, draws=3, random_state=5)
    function = (
        {"mmd": metrics.mmd, "coverage": metrics.coverage}.get(metric, metric) if isinstance(metric, str) else metric
    )
    reference = Reference(X, y)
    picked, fresh = [], []
    for each in random_sets(reference, small, 3, 5):
        picked.append(function(reference, None, each, 5))
        fresh.append(function(reference.without(each.indices), None, each, 5))
    assert result.value == function(X, y, small, 5)
    assert result.picked == pytest.approx((np.mean(picked), np.std(picked, ddof=1)))
    assert result.fresh == pytest.approx((np.mean(fresh), np.std(fresh, ddof=1)))
    assert result.z == pytest.approx((result.value - np.mean(fresh)) / np.std(fresh, ddof=1))
    assert result.draws == 3


def test_a_metric_of_arrays_gets_arrays(digits):
    X, y = digits
    seen = []

    def spread(X, y, distilled, random_state=0):
        seen.append((type(X), len(X), len(y)))
        return np.var(distilled.X) / np.var(X)

    result = floors(spread, X, y, small_set(X, y, [1] * 10), draws=2)
    assert seen == [(np.ndarray, n, n) for n in (1797, 1797, 1787, 1797, 1787)]
    assert result.picked[0] != result.fresh[0]


def test_a_copier_is_told_from_a_generator(digits):
    # MMD of copied rows is far below that of rows from the same distribution that were held out.
    X, y = digits
    order = np.random.default_rng(3).permutation(len(X))
    train, rest = order[:1000], order[1000:]
    copied = small_set(X[train], y[train], [40] * 10)
    copied.sample_weight = np.ones(400)
    generated = small_set(X[rest], y[rest], [40] * 10)
    generated.sample_weight = np.ones(400)
    results = [floors(metrics.mmd, X[train], y[train], each) for each in (copied, generated)]
    assert results[0].z < -5
    assert abs(results[1].z) < 4
    assert results[0].picked[0] < results[0].fresh[0]
    assert abs(results[0].value - results[0].picked[0]) < 4 * results[0].picked[1]


def test_a_continuous_target_has_floors_too():
    X, y = load_diabetes(return_X_y=True)
    small = DistilledSet(X[:40], y[:40], provenance={"task": "regression"})
    result = floors(metrics.mmd, X, y, small)
    assert abs(result.z) < 5
    assert result.picked[0] < result.fresh[0]


def test_without_floors(digits):
    X, y = digits
    whole = floors(metrics.mmd, X, y, DistilledSet(X, y, classes=np.arange(10)))
    assert (whole.picked, whole.fresh, whole.z) == (None, None, None)
    assert "more than half" in whole.note
    assert whole.value == pytest.approx(0, abs=1e-9)
    none = floors(lambda *_: None, X, y, small_set(X, y, [1] * 10), draws=2)
    assert (none.value, none.picked, none.fresh, none.z) == (None, None, None, None)
    constant = floors(lambda *_: 1.0, X, y, small_set(X, y, [1] * 10), draws=2)
    assert (constant.fresh, constant.z) == ((1.0, 0.0), 0.0)
    assert floors("mmd", X, y, small_set(X, y, [1] * 10), draws=0).note


def test_draws_that_differ_by_rounding_alone_have_no_score() -> None:
    draws = iter([0.05, *[0.06 + 1e-17 * number for number in range(20)]])
    X = np.arange(40.0).reshape(20, 2)
    found = floors(lambda *_: next(draws), X, None, DistilledSet(X[:4]), draws=5)
    assert (found.fresh is not None, found.z) == (True, None)
