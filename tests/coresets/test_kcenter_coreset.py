"""KCenterCoreset: greedy in each class, ranked, with a certificate that holds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from distillkit.coresets import KCenterCoreset, RandomSubset


def radius(X, y, model):
    """Largest distance of a row to the nearest distilled row of its class."""
    return max(
        np.linalg.norm(X[y == c][:, None] - model.X_distilled_[model.y_distilled_ == c], axis=2).min(axis=1).max()
        for c in np.unique(y)
    )


def prefix_radius(X, y, model, size):
    """The same for the first `size` distilled rows."""
    worst = 0.0
    for c in np.unique(y):
        mine = model.sample_indices_[:size][model.y_distilled_[:size] == c]
        gap = np.linalg.norm(X[y == c][:, None] - X[mine], axis=2).min(axis=1, initial=np.inf)
        worst = max(worst, gap.max())
    return worst


def test_picks_are_the_farthest_rows_one_by_one(table):
    # one published implementation of a greedy method takes argmax for argmin: here each pick is checked
    X, y = table
    model = KCenterCoreset(budget=8).fit(X, y)
    for c in range(3):
        rows = np.flatnonzero(y == c)
        picks = model.sample_indices_[model.y_distilled_ == c]
        assert picks[0] == rows[((X[rows] - X[rows].mean(axis=0)) ** 2).sum(axis=1).argmin()]
        for place in range(1, 8):
            distance = np.linalg.norm(X[rows][:, None] - X[picks[:place]], axis=2).min(axis=1)
            assert picks[place] == rows[distance.argmax()]


@pytest.mark.parametrize("seed", range(4))
def test_radius_is_at_most_twice_the_best_possible(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(22, 2)), np.repeat([0, 1], 11)
    model = KCenterCoreset(budget=3, start="random", random_state=seed).fit(X, y)
    best = 0.0
    for c in (0, 1):
        every = np.linalg.norm(X[y == c][:, None] - X[y == c], axis=2)
        best = max(best, min(every[:, list(p)].min(axis=1).max() for p in itertools.combinations(range(11), 3)))
    assert best <= model.radius_ * (1 + 1e-12)
    assert model.radius_ <= 2 * best * (1 + 1e-12)


@pytest.mark.parametrize("budget", [1, 8, 0.07, {0: 3, 1: 50, 2: 30}])
def test_the_certificates_are_those_of_brute_force(table, budget):
    X, y = table
    model = KCenterCoreset(budget=budget).fit(X, y)
    assert model.radius_ == pytest.approx(radius(X, y, model), rel=1e-12)
    assert model.radius_ == model.radii_[-1] == max(step["radius"] for step in model.history_)
    for size in range(1, len(model.radii_) + 1):
        assert model.radii_[size - 1] == pytest.approx(prefix_radius(X, y, model, size), rel=1e-10)


def test_weights_are_the_rows_nearest_to_each(table):
    X, y = table
    model = KCenterCoreset(budget=8).fit(X, y)
    for c in range(3):
        own = model.y_distilled_ == c
        nearest = np.linalg.norm(X[y == c][:, None] - model.X_distilled_[own], axis=2).argmin(axis=1)
        np.testing.assert_array_equal(model.sample_weight_[own], np.bincount(nearest, minlength=8))


@pytest.mark.parametrize("start", ["medoid", "random"])
def test_a_prefix_is_the_coreset_of_a_smaller_budget(table, start):
    X, y = table
    large = KCenterCoreset(budget=25, start=start, random_state=3).fit(X, y)
    for k in (1, 2, 7, 24):
        small = KCenterCoreset(budget=k, start=start, random_state=3).fit(X, y)
        np.testing.assert_array_equal(large.sample_indices_[: 3 * k], small.sample_indices_)
        assert large.radii_[3 * k - 1] == pytest.approx(small.radius_, rel=1e-12)


def test_without_classes_too_a_prefix_is_the_coreset_of_a_smaller_budget(numbers):
    X, y = numbers
    large, small = KCenterCoreset(budget=60).fit(X, y), KCenterCoreset(budget=20).fit(X, y)
    np.testing.assert_array_equal(large.sample_indices_[:20], small.sample_indices_)


def test_equal_budgets_take_one_row_of_each_class_in_turn(table):
    assert KCenterCoreset(budget=4).fit(*table).y_distilled_.tolist() == [0, 1, 2] * 4


def test_shares_take_one_row_of_each_class_and_then_keep_proportion(table):
    model = KCenterCoreset(budget=0.2).fit(*table)
    assert model.y_distilled_[:3].tolist() == [0, 1, 2]
    for size in range(3, 61):
        taken = np.bincount(model.y_distilled_[:size], minlength=3)
        assert (np.abs(taken - size * np.array([0.6, 0.3, 0.1])) <= 2).all()


def test_it_covers_better_than_random_rows(table):
    X, y = table
    model = KCenterCoreset(budget=8).fit(X, y)
    assert all(model.radius_ < radius(X, y, RandomSubset(budget=8, random_state=s).fit(X, y)) for s in range(10))


def test_permuted_rows_give_the_same_rows_in_the_same_order(table):
    X, y = table
    order = np.random.default_rng(1).permutation(len(X))
    np.testing.assert_array_equal(
        KCenterCoreset().fit_transform(X, y), KCenterCoreset().fit_transform(X[order], y[order])
    )


def test_a_continuous_target_plays_no_part(numbers):
    X, y = numbers
    first, second, third = (KCenterCoreset(budget=15).fit(X, target) for target in (y, -(y**3), None))
    np.testing.assert_array_equal(first.sample_indices_, second.sample_indices_)
    np.testing.assert_array_equal(first.sample_indices_, third.sample_indices_)
    np.testing.assert_array_equal(first.y_distilled_, y[first.sample_indices_])


def test_different_rows_are_picked_before_repeated_ones():
    X = np.repeat(np.random.default_rng(0).normal(size=(6, 3)), 5, axis=0)
    model = KCenterCoreset(budget=9).fit(X)
    assert len(np.unique(X[model.sample_indices_[:6]], axis=0)) == 6
    assert len(set(model.sample_indices_.tolist())) == 9
    assert model.radius_ == 0


def test_random_starts_are_drawn_per_class_and_medoids_are_not(table):
    X, y = table
    starts = {
        tuple(KCenterCoreset(budget=1, start="random", random_state=s).fit(X, y).sample_indices_) for s in range(5)
    }
    assert len(starts) == 5
    assert len({tuple(KCenterCoreset(budget=1, random_state=s).fit(X, y).sample_indices_) for s in range(5)}) == 1


def test_history_has_one_entry_per_class(table):
    model = KCenterCoreset(budget=4).fit(*table)
    assert [(step["label"], step["rows"], step["size"], step["complete"]) for step in model.history_] == [
        (0, 180, 4, True),
        (1, 90, 4, True),
        (2, 30, 4, True),
    ]
    assert model.distilled_.provenance["backends"] == ["numpy"]


def test_no_time_at_all_still_gives_every_row_and_a_certificate_that_holds(table):
    X, y = table
    model = KCenterCoreset(budget=9, max_seconds=1e-9).fit(X, y)
    assert np.bincount(model.y_distilled_).tolist() == [9, 9, 9]
    assert len(set(model.sample_indices_.tolist())) == 27
    assert model.radius_ >= radius(X, y, model)
    assert model.sample_weight_.sum() == pytest.approx(300)
    assert model.distilled_.provenance["stopped_by"] == "max_seconds"
    assert not any(step["complete"] for step in model.history_)


def test_time_enough_changes_nothing(table):
    free, timed = (KCenterCoreset(budget=9, max_seconds=s).fit(*table) for s in (None, 1e6))
    np.testing.assert_array_equal(free.sample_indices_, timed.sample_indices_)
    assert timed.distilled_.provenance["stopped_by"] is None
