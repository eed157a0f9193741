"""k-means++ drawn in blocks has the distribution of the textbook's loop, which is enumerated here."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from distillkit.exceptions import DataError
from distillkit.neighbors import _kmeans_start, kmeans_plus_plus


def squared(X, rows):
    return ((X[:, None].astype(float) - X[rows].astype(float)) ** 2).sum(axis=2)


def probability(X, weights, order):
    """Of drawing these rows in this order, one by one."""
    mass, chance = weights.astype(float), 1.0
    for place, row in enumerate(order):
        chance *= mass[row] / mass.sum()
        mass = weights * squared(X, list(order[: place + 1])).min(axis=1)
    return chance


@pytest.mark.parametrize("weighted", [False, True])
def test_every_sequence_is_as_likely_as_in_the_loop_that_draws_one_by_one(weighted):
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [5.0, 5.0], [5.5, 5.0]]) - 2.0
    weights = np.array([1.0, 3.0, 2.0, 0.5, 1.0]) if weighted else np.ones(5)
    draws = 1500
    seen = {}
    for seed in range(draws):
        order = tuple(kmeans_plus_plus(X, 3, seed=seed, weights=weights if weighted else None).indices.tolist())
        seen[order] = seen.get(order, 0) + 1
    for order in itertools.permutations(range(5), 3):
        expected = draws * probability(X, weights, order)
        assert abs(seen.pop(order, 0) - expected) <= 5 * np.sqrt(expected) + 2
    assert not seen


@pytest.mark.parametrize("trials", [1, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distances_and_owners_are_those_of_brute_force(dtype, trials):
    X = np.random.default_rng(0).normal(size=(500, 4)).astype(dtype)
    start = kmeans_plus_plus(X, 90, seed=1, trials=trials)  # more than one block
    every = squared(X, start.indices)
    assert start.complete
    assert len(set(start.indices.tolist())) == 90
    np.testing.assert_allclose(start.squared_distances, every[np.arange(500), start.labels], rtol=1e-12)
    np.testing.assert_allclose(start.squared_distances, every.min(axis=1), atol=1e-5)


def test_the_best_of_several_trials_lowers_the_cost():
    X = np.random.default_rng(0).normal(size=(400, 5))
    one, eight = (
        np.mean([kmeans_plus_plus(X, 20, seed=s, trials=t).squared_distances.sum() for s in range(20)]) for t in (1, 8)
    )
    assert eight < 0.9 * one


def test_rows_without_weight_are_never_drawn_while_others_are_left():
    X = np.random.default_rng(0).normal(size=(60, 3))
    weights = (np.arange(60) % 2).astype(float)
    for seed in range(20):
        assert (kmeans_plus_plus(X, 25, seed=seed, weights=weights).indices % 2 == 1).all()
    assert sorted(kmeans_plus_plus(X, 60, seed=0, weights=weights).indices.tolist()) == list(range(60))


@pytest.mark.parametrize("k", [1, 5, 6, 40])
@pytest.mark.parametrize("trials", [1, 3])
def test_different_rows_are_drawn_before_repeated_ones(k, trials):
    X = np.repeat(np.arange(10.0).reshape(5, 2) - 4.5, 8, axis=0)
    drawn = kmeans_plus_plus(X, k, seed=0, trials=trials).indices
    assert len(set(drawn.tolist())) == k
    assert len(np.unique(X[drawn[:5]], axis=0)) == min(k, 5)


def test_equal_rows_are_drawn_each_once():
    assert len(set(kmeans_plus_plus(np.zeros((9, 2)), 7, seed=3).indices.tolist())) == 7


def test_a_stop_draws_the_rest_at_once():
    X = np.random.default_rng(0).normal(size=(300, 2))
    answers = iter([False, True])
    start = kmeans_plus_plus(X, 200, seed=0, should_stop=lambda: next(answers))
    assert not start.complete
    assert len(set(start.indices.tolist())) == 200
    free = kmeans_plus_plus(X, 200, seed=0)
    same = int(np.argmin(start.indices == free.indices))
    assert 2 <= same < 150  # what was drawn before the stop is what would have been drawn anyway


def test_the_same_seed_draws_the_same_rows_and_another_seed_others():
    X = np.random.default_rng(0).normal(size=(300, 2))
    first, again, other = (kmeans_plus_plus(X, 20, seed=s).indices for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_large_offset_changes_nothing():
    X = np.random.default_rng(0).integers(0, 2**10, size=(200, 4)) / 2.0**8
    plain, moved = kmeans_plus_plus(X, 30, seed=0), kmeans_plus_plus(X + 2.0**30, 30, seed=0)
    np.testing.assert_array_equal(plain.indices, moved.indices)
    np.testing.assert_array_equal(plain.squared_distances, moved.squared_distances)


@pytest.mark.parametrize("k", [0, 5])
def test_k_out_of_range_is_refused(k):
    with pytest.raises(DataError, match=f"k={k} rows cannot be drawn from 4"):
        kmeans_plus_plus(np.eye(4), k, seed=0)


def test_it_asks_after_each_product_also_where_trials_end_amid_a_block(monkeypatch):
    asked, made, draw_block = [], [], _kmeans_start._Draw._draw_block
    monkeypatch.setattr(_kmeans_start._Draw, "_draw_block", lambda *args: (made.append(1), draw_block(*args)))
    X = np.random.default_rng(0).normal(size=(500, 30))
    kmeans_plus_plus(X, 100, seed=0, trials=7, should_stop=lambda: bool(asked.append(1)))
    assert len(made) > 10
    assert len(asked) >= len(made) - 1  # nothing is left to stop after the last
