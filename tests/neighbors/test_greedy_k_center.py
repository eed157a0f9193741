"""Blocked greedy k-center against the plain loop, brute force and its guarantee."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from distillkit.exceptions import DataError
from distillkit.neighbors import greedy_k_center


def plain(X, k, start):
    """Textbook greedy in exact differences: picks, and the radius after each."""
    X = np.asarray(X, dtype=np.float64)
    nearest, picks, radii = np.full(len(X), np.inf), [start], []
    while True:
        nearest = np.minimum(nearest, ((X - X[picks[-1]]) ** 2).sum(axis=1))
        radii.append(np.sqrt(nearest.max()))
        if len(picks) == k:
            return picks, radii
        left = nearest.copy()
        left[picks] = -1
        picks.append(int(left.argmax()))


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(700, 5))


@pytest.mark.parametrize("block", [1, 2, 8, 32, 64, 1000])
def test_picks_are_those_of_the_plain_loop(rows, block):
    found = greedy_k_center(rows, 120, start=3, block=block)
    picks, radii = plain(rows, 120, 3)
    assert found.indices.tolist() == picks
    np.testing.assert_allclose(found.radii, radii, rtol=1e-12)
    assert found.complete


@pytest.mark.parametrize("seed", range(5))
def test_picks_are_those_of_the_plain_loop_on_separated_groups(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(scale=30, size=(12, 8))[rng.integers(12, size=500)] + rng.normal(size=(500, 8))
    assert greedy_k_center(X, 200, start=0).indices.tolist() == plain(X, 200, 0)[0]


@pytest.mark.parametrize("block", [1, 7, 32])
@pytest.mark.parametrize("offset", [0.0, 0.1, 1e6])
def test_exact_ties_go_to_the_first_row_whatever_the_block(block, offset):
    # a grid: most steps are a tie of many rows, which rounding must not decide
    X = np.array(list(itertools.product(range(9), range(9))), dtype=float)
    assert greedy_k_center(X + offset, 60, start=40, block=block).indices.tolist() == plain(X, 60, 40)[0]


def test_rows_equally_near_to_two_picks_belong_to_the_earlier():
    X = 0.1 + np.array([[0.0], [3.0], [6.0], [12.0]])
    found = greedy_k_center(X, 3, start=0)
    assert found.indices.tolist() == [0, 3, 2]
    assert found.labels.tolist() == [0, 0, 2, 1]


@pytest.mark.parametrize("seed", range(8))
def test_radius_is_at_most_twice_the_optimum(seed):
    X = np.random.default_rng(seed).normal(size=(12, 2))
    every = np.linalg.norm(X[:, None] - X, axis=2)
    for k in (1, 2, 3, 4):
        optimum = min(every[:, list(chosen)].min(axis=1).max() for chosen in itertools.combinations(range(12), k))
        radius = greedy_k_center(X, k, start=seed).radii[-1]
        assert optimum - 1e-12 <= radius <= 2 * optimum + 1e-12


def test_owner_and_last_radius_are_those_of_brute_force(rows):
    found = greedy_k_center(rows, 30, start=0)
    every = np.linalg.norm(rows[:, None] - rows[found.indices], axis=2)
    np.testing.assert_array_equal(found.labels, every.argmin(axis=1))
    assert found.radii[-1] == pytest.approx(every.min(axis=1).max(), rel=1e-14)
    assert (np.diff(found.radii) <= 1e-12).all()


def test_a_prefix_is_the_pick_for_a_smaller_k(rows):
    large = greedy_k_center(rows, 200, start=5)
    for k in (1, 2, 31, 32, 33, 150):
        small = greedy_k_center(rows, k, start=5)
        np.testing.assert_array_equal(small.indices, large.indices[:k])
        np.testing.assert_allclose(small.radii, large.radii[:k], rtol=1e-12)


def test_moving_and_scaling_the_rows_changes_no_pick(rows):
    expected = greedy_k_center(rows, 50, start=0)
    for factor, offset in ((1.0, 1e6), (1e-100, 0.0), (1e100, 0.0)):
        found = greedy_k_center(rows * factor + offset, 50, start=0)
        np.testing.assert_array_equal(found.indices, expected.indices)
        np.testing.assert_allclose(found.radii, expected.radii * factor, rtol=1e-8)


def test_permuted_rows_give_the_permuted_picks(rows):
    order = np.random.default_rng(1).permutation(len(rows))
    found = greedy_k_center(rows[order], 60, start=int(np.flatnonzero(order == 9)[0]))
    np.testing.assert_array_equal(order[found.indices], greedy_k_center(rows, 60, start=9).indices)


def test_one_row_far_from_all_others_does_not_spoil_the_certificate():
    # |x|^2 + |c|^2 - 2 x.c of rows near each other but far from the mean is all rounding; the last radius is not
    X = np.vstack([np.random.default_rng(0).normal(size=(300, 3)), np.full((1, 3), 1e9)])
    found = greedy_k_center(X, 20, start=0)
    every = np.linalg.norm(X[:, None] - X[found.indices], axis=2)
    assert found.radii[-1] >= every.min(axis=1).max() * (1 - 1e-12)
    assert 300 in found.indices


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64])
def test_dtypes_are_taken_and_left_alone(dtype):
    X = np.random.default_rng(0).integers(0, 200, size=(90, 4)).astype(dtype)
    before = X.copy()
    assert greedy_k_center(X, 30, start=1).indices.tolist() == plain(X, 30, 1)[0]
    np.testing.assert_array_equal(X, before)


def test_all_rows_can_be_picked_each_once(rows):
    found = greedy_k_center(rows[:50], 50, start=7)
    assert sorted(found.indices.tolist()) == list(range(50))
    assert found.radii[-1] == 0
    assert sorted(found.labels.tolist()) == list(range(50))


@pytest.mark.parametrize("k", [1, 3, 4, 11, 30])
def test_duplicates_are_picked_once_each_and_different_rows_first(k):
    X = np.repeat(np.array([[0.1, 0.7], [5.3, 1.1], [2.2, 9.9]]), 10, axis=0)
    found = greedy_k_center(X, k, start=0)
    assert len(set(found.indices.tolist())) == k
    assert len(np.unique(X[found.indices], axis=0)) == min(k, 3)
    assert np.bincount(found.labels, minlength=k).min() >= 1
    assert (found.radii[-1] == 0) == (k >= 3)


def test_equal_rows_are_picked_in_order():
    assert greedy_k_center(np.full((6, 2), 0.1), 4, start=2).indices.tolist() == [2, 0, 1, 3]


def test_threads_change_nothing():
    X = np.random.default_rng(0).normal(size=(3000, 40)).astype(np.float32)
    results = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            results.append(greedy_k_center(X, 100, start=0))
    np.testing.assert_array_equal(results[0].indices, results[1].indices)
    np.testing.assert_array_equal(results[0].labels, results[1].labels)
    np.testing.assert_array_equal(results[0].radii, results[1].radii)


def test_memory_does_not_grow_with_the_picks():
    # the published loop keeps a distance for each pick and row: here 400 x 4000 numbers, 12.8 MB
    n, d, block = 4000, 10, 16
    X = np.random.default_rng(0).normal(size=(n, d))
    tracemalloc.start()
    greedy_k_center(X, 400, start=0, block=block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * n * (2 * d + block + 8)


def test_a_stop_at_once_fills_up_with_the_rows_farthest_from_the_start(rows):
    found = greedy_k_center(rows, 90, start=3, should_stop=lambda: True)
    distance = np.linalg.norm(rows - rows[3], axis=1)
    distance[3] = np.inf
    assert found.indices.tolist() == np.argsort(-distance, kind="stable")[:90].tolist()
    assert not found.complete


def test_a_later_stop_keeps_the_picks_made(rows):
    answers = iter([False, True])
    found = greedy_k_center(rows, 90, start=3, block=8, should_stop=lambda: next(answers))
    picks = plain(rows, 90, 3)[0]
    same = next(place for place in range(90) if found.indices[place] != picks[place])
    assert 2 < same < 30  # more than start and first fill, less than all
    assert len(set(found.indices.tolist())) == 90
    assert not found.complete


def test_radii_after_a_stop_are_upper_bounds(rows):
    found = greedy_k_center(rows, 90, start=3, should_stop=lambda: True)
    for k in (1, 2, 50, 90):
        true = np.linalg.norm(rows[:, None] - rows[found.indices[:k]], axis=2).min(axis=1).max()
        assert found.radii[k - 1] >= true - 1e-12
    assert np.bincount(found.labels).tolist() == [len(rows) - 89] + [1] * 89


def test_a_stop_after_the_last_pick_is_not_asked_for(rows):
    asked = []
    assert greedy_k_center(rows, 1, start=0, should_stop=lambda: bool(asked.append(1))).complete
    assert asked == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"k": 0}, "k=0 rows cannot be picked from 4"),
        ({"k": 5}, "k=5 rows cannot be picked from 4"),
        ({"start": 4}, "start=4 is no row of X"),
        ({"start": -1}, "start=-1"),
        ({"block": 0}, "block=0"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(arguments, said):
    with pytest.raises(DataError, match=said):
        greedy_k_center(np.eye(4), **{"k": 2, "start": 0, **arguments})
