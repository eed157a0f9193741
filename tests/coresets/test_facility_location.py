"""FacilityLocationCoreset against its definition, naive greedy and the optimum by brute force."""

from __future__ import annotations

import itertools
import sys
import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from distillkit.base import Group, Run, TrainingRows
from distillkit.coresets import FacilityLocationCoreset, RandomSubset
from distillkit.coresets.geometric import _sparse_facility_location
from distillkit.coresets.geometric._sparse_facility_location import sparse_facility_location


def gains_of(points, t, metric="euclidean"):
    """What each row (i) gains by each other (j): r_i - d_ij, where that is positive."""
    distances = cdist(points, points, metric)
    reach = np.sort(distances, axis=1)[:, t - 1]
    return np.maximum(reach[:, None] - distances, 0)


def value(gain, picks):
    return gain[:, picks].max(axis=1).sum() if len(picks) else 0.0


def naive(gain, size):
    """Plain greedy: every value computed anew."""
    picks = []
    for _ in range(size):
        left = [j for j in range(gain.shape[1]) if j not in picks]
        values = np.array([value(gain, [*picks, j]) for j in left])
        # the first of equals: two rows that are each other's nearest bring the same gain
        picks.append(left[np.argmax(values >= values.max() * (1 - 1e-7))])
    return picks


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("t", [2, 5, 20, 60])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_lazy_picks_are_those_of_naive_greedy(seed, t, metric):
    X = np.random.default_rng(seed).normal(size=(60, 4))
    gain = gains_of(X, t, metric)
    size = 12
    model = FacilityLocationCoreset(budget=size, n_neighbors=t, metric=metric).fit(X)
    picks = naive(gain, size)
    assert model.sample_indices_.tolist() == picks
    values = [value(gain, picks[:j]) for j in range(size + 1)]
    np.testing.assert_allclose(model.gains_, np.diff(values), rtol=1e-5, atol=1e-6)
    assert (np.diff(model.gains_) <= 1e-6).all()
    assert model.history_[0]["value"] == pytest.approx(values[-1], rel=1e-6)


def test_with_all_neighbours_it_is_greedy_k_medoids():
    X = np.random.default_rng(0).normal(size=(80, 3))
    distances, picks = cdist(X, X), []
    for _ in range(15):
        cost = [distances[:, [*picks, j]].min(axis=1).sum() for j in range(80)]
        picks.append(int(np.argmin(cost)))
    assert FacilityLocationCoreset(budget=15).fit(X).sample_indices_.tolist() == picks  # 80 rows: all by default
    assert FacilityLocationCoreset(budget=15, n_neighbors=10**6).fit(X).sample_indices_.tolist() == picks


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("t", [4, 12])
def test_no_other_rows_are_better_than_the_guarantee_says(seed, t):
    X = np.random.default_rng(seed).normal(size=(12, 2))
    gain = gains_of(X, t)
    for k in (1, 2, 3, 4):
        model = FacilityLocationCoreset(budget=k, n_neighbors=t).fit(X)
        best = max(value(gain, list(chosen)) for chosen in itertools.combinations(range(12), k))
        reached = value(gain, model.sample_indices_)
        assert reached >= (1 - 1 / np.e) * best
        assert reached >= model.guarantee_ * best * (1 - 1e-6)
        assert best <= model.history_[0]["bound"] * (1 + 1e-6)
        assert 0 < model.guarantee_ <= 1


def test_each_class_is_served_on_its_own(table):
    X, y = table
    model = FacilityLocationCoreset(budget=6).fit(X, y)
    for c in range(3):
        rows, own = np.flatnonzero(y == c), model.y_distilled_ == c
        assert model.sample_indices_[own].tolist() == rows[naive(gains_of(X[rows], len(rows)), 6)].tolist()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_weights_are_the_rows_nearest_to_each(table, metric):
    X, y = table
    model = FacilityLocationCoreset(budget=8, n_neighbors=5, metric=metric).fit(X, y)
    for c in range(3):
        own = model.y_distilled_ == c
        nearest = cdist(X[y == c], model.X_distilled_[own], metric).argmin(axis=1)
        np.testing.assert_array_equal(model.sample_weight_[own], np.bincount(nearest, minlength=8))


def test_rows_are_nearer_to_the_picks_than_to_random_rows(table):
    X, y = table

    def cost(model):
        return sum(cdist(X[y == c], model.X_distilled_[model.y_distilled_ == c]).min(axis=1).sum() for c in range(3))

    ours = cost(FacilityLocationCoreset(budget=6).fit(X, y))
    assert all(ours < 0.95 * cost(RandomSubset(budget=6, random_state=s).fit(X, y)) for s in range(10))


class TestEqualRows:
    """Equal rows are one facility with many customers."""

    def test_many_copies_do_not_hide_a_row_from_its_neighbours(self):
        # 50 copies of one row, more than n_neighbors: without merging, each would see copies only and gain nothing
        X = np.vstack([np.zeros((50, 2)), np.random.default_rng(0).normal(size=(60, 2)) + 8])
        model = FacilityLocationCoreset(budget=2, n_neighbors=10).fit(X)
        assert sorted(model.sample_indices_ < 50) == [False, True]
        assert model.sample_weight_[model.sample_indices_ < 50] == 50

    def test_copies_count(self):
        rng = np.random.default_rng(1)
        different, times = rng.normal(size=(40, 3)), rng.integers(1, 6, size=40)
        distances = cdist(different, different)
        gain = (distances.max(axis=1, keepdims=True) - distances) * times[:, None]
        model = FacilityLocationCoreset(budget=9).fit(np.repeat(different, times, axis=0))
        first = np.concatenate([[0], np.cumsum(times)[:-1]])
        assert model.sample_indices_.tolist() == first[naive(gain, 9)].tolist()

    def test_different_rows_are_picked_before_repeated_ones(self):
        X = np.repeat(np.random.default_rng(0).normal(size=(6, 3)), 5, axis=0)
        model = FacilityLocationCoreset(budget=9).fit(X)
        assert len(np.unique(X[model.sample_indices_[:6]], axis=0)) == 6
        assert len(set(model.sample_indices_.tolist())) == 9
        assert model.gains_[6:].tolist() == [0, 0, 0]

    def test_minus_zero_is_zero(self):
        model = FacilityLocationCoreset(budget=2).fit(np.array([[0.0], [-0.0], [1.0]]))
        assert sorted(model.X_distilled_.ravel().tolist()) == [0, 1]

    def test_rows_that_are_all_equal_have_nothing_to_gain(self):
        model = FacilityLocationCoreset(budget=3).fit(np.full((9, 2), 0.1))
        assert model.gains_.tolist() == [0, 0, 0]
        assert model.guarantee_ == 1


@pytest.mark.parametrize("factor", [1e-60, 1e60])
def test_gains_have_the_units_of_the_distances(factor):
    X = np.random.default_rng(0).normal(size=(50, 3))
    plain, scaled = FacilityLocationCoreset(budget=8).fit(X), FacilityLocationCoreset(budget=8).fit(factor * X)
    np.testing.assert_array_equal(plain.sample_indices_, scaled.sample_indices_)
    np.testing.assert_allclose(scaled.gains_, factor * plain.gains_, rtol=1e-5)
    cosine = [FacilityLocationCoreset(budget=8, metric="cosine").fit(rows).gains_ for rows in (X, factor * X)]
    np.testing.assert_allclose(*cosine, rtol=1e-5)


class TestNeighbours:
    """The graph bounds the memory."""

    def test_by_default_as_many_as_the_bound_on_edges_allows(self, monkeypatch):
        monkeypatch.setattr(_sparse_facility_location, "_EDGES", 6000)
        X = np.random.default_rng(0).normal(size=(300, 3))
        model = FacilityLocationCoreset(budget=5).fit(X)
        assert model.history_[0]["n_neighbors"] == 20
        given = FacilityLocationCoreset(budget=5, n_neighbors=20).fit(X)
        np.testing.assert_array_equal(model.sample_indices_, given.sample_indices_)
        monkeypatch.setattr(_sparse_facility_location, "_EDGES", 600)
        assert FacilityLocationCoreset(budget=5).fit(X).history_[0]["n_neighbors"] == 16

    def test_no_matrix_of_all_distances_is_made(self):
        X = np.random.default_rng(0).normal(size=(10_000, 4)).astype(np.float32)
        sparse_facility_location(X[:100], 3, n_neighbors=4)  # what is loaded on first use does not count
        tracemalloc.start()
        try:
            sparse_facility_location(X, 5, n_neighbors=16)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 10_000**2 / 2  # a bool for each pair alone would take twice as much

    def test_the_backend_is_reported(self, table):
        model = FacilityLocationCoreset(budget=3, n_neighbors=9, device="cpu").fit(*table)
        assert model.distilled_.provenance["backends"] == ["numpy"]

    @pytest.mark.filterwarnings("ignore:faiss cannot be used")
    def test_without_faiss_the_same_is_found(self, table, monkeypatch):
        X, y = table
        expected = FacilityLocationCoreset(budget=6, n_neighbors=9).fit(X, y)
        monkeypatch.setitem(sys.modules, "faiss", None)
        model = FacilityLocationCoreset(budget=6, n_neighbors=9).fit(X, y)
        np.testing.assert_array_equal(model.sample_indices_, expected.sample_indices_)
        np.testing.assert_array_equal(model.sample_weight_, expected.sample_weight_)


class TestContinuousTarget:
    """The target is one more column."""

    @pytest.mark.parametrize("target_weight", [0.0, 1.0, 3.0])
    def test_the_space_is_the_one_documented(self, numbers, target_weight):
        X, y = numbers
        column = target_weight * (y - y.mean()) / y.std() * np.sqrt(X.var(axis=0).mean())
        joint = np.column_stack([X, column])
        model = FacilityLocationCoreset(budget=10, target_weight=target_weight).fit(X, y)
        assert model.sample_indices_.tolist() == naive(gains_of(joint, 200), 10)
        nearest = cdist(joint, joint[model.sample_indices_]).argmin(axis=1)
        np.testing.assert_array_equal(model.sample_weight_, np.bincount(nearest))


class TestClock:
    """A wall-clock budget ends the picking, never the result."""

    def test_no_time_at_all_still_gives_every_row(self, table):
        model = FacilityLocationCoreset(budget=9, max_seconds=1e-9).fit(*table)
        assert np.bincount(model.y_distilled_).tolist() == [9, 9, 9]
        assert len(set(model.sample_indices_.tolist())) == 27
        assert model.distilled_.provenance["stopped_by"] == "max_seconds"
        assert not any(step["complete"] for step in model.history_)

    def test_what_was_picked_before_is_kept_and_the_value_and_bound_stay_true(self):
        X = np.random.default_rng(0).normal(size=(60, 3))
        gain = gains_of(X, 60)
        answers = iter([False] * 3 + [True] * 20)
        found = sparse_facility_location(X, 10, should_stop=lambda: next(answers))
        assert found.picks[:4].tolist() == naive(gain, 4)
        assert not found.complete
        assert found.value == pytest.approx(value(gain, found.picks), rel=1e-6)
        assert found.gains.sum() >= found.value * (1 - 1e-6)  # the last ones are upper bounds
        assert found.bound >= sparse_facility_location(X, 10).value

    def test_time_enough_changes_nothing(self, table):
        free, timed = (FacilityLocationCoreset(budget=9, max_seconds=s).fit(*table) for s in (None, 1e6))
        np.testing.assert_array_equal(free.sample_indices_, timed.sample_indices_)


def test_rows_that_stand_for_several_count_as_often(numbers):
    X, _ = numbers
    times = np.random.default_rng(0).integers(1, 5, size=200)
    rows = TrainingRows(X, None, None, (Group(None, np.arange(200), 20),), weight=times.astype(float))
    outcome = FacilityLocationCoreset()._distill(rows, Run())
    repeated = FacilityLocationCoreset(budget=20).fit(np.repeat(X, times, axis=0))
    np.testing.assert_array_equal(X[outcome.indices], repeated.X_distilled_)
    np.testing.assert_allclose(outcome.weight, repeated.sample_weight_)
