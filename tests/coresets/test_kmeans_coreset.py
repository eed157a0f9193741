"""KMeansCoreset against brute force and the mathematics of means."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from distillkit.coresets import KMeansCoreset, RandomSubset
from distillkit.coresets.geometric import _kmeans
from distillkit.exceptions import DistillkitWarning
from distillkit.neighbors import _threads, kmeans


def assign(X, rows):
    """Nearest of `rows` to each of X, and the squared distance."""
    every = ((X[:, None] - rows) ** 2).sum(axis=2)
    return every.argmin(axis=1), every.min(axis=1)


def cost(X, y, model):
    return sum(assign(X[y == c], model.X_distilled_[model.y_distilled_ == c])[1].sum() for c in np.unique(y))


def test_weights_are_the_masses_of_the_clusters(table):
    X, y = table
    model = KMeansCoreset(budget=6, max_iter=300, random_state=0).fit(X, y)
    assert model.n_iter_ < 300  # converged: each row is with its nearest centroid
    for c in range(3):
        own = model.y_distilled_ == c
        labels, _ = assign(X[y == c], model.X_distilled_[own])
        np.testing.assert_array_equal(model.sample_weight_[own], np.bincount(labels, minlength=6))


@pytest.mark.parametrize("max_iter", [1, 25])
def test_the_mean_of_each_class_is_kept_exactly(table, max_iter):
    X, y = table
    model = KMeansCoreset(budget=6, max_iter=max_iter, random_state=0).fit(X + 1e6, y)
    for c in range(3):
        own = model.y_distilled_ == c
        mean = np.average(model.X_distilled_[own], axis=0, weights=model.sample_weight_[own])
        np.testing.assert_allclose(mean, (X + 1e6)[y == c].mean(axis=0), rtol=1e-14)


def test_cost_is_at_most_the_inertia_recorded_and_far_below_random_rows(table):
    X, y = table
    model = KMeansCoreset(budget=6, random_state=0).fit(X, y)
    recorded = sum(step["inertia"] for step in model.history_)
    assert cost(X, y, model) <= recorded * (1 + 1e-6)
    for seed in range(5):
        assert cost(X, y, model) < 0.8 * cost(X, y, RandomSubset(budget=6, random_state=seed).fit(X, y))


def test_cost_is_within_one_percent_of_scikit_learn_class_by_class(table):
    X, y = table
    model = KMeansCoreset(budget=5, n_init=20, max_iter=50, random_state=0).fit(X, y)
    theirs = sum(KMeans(5, n_init=20, max_iter=50, random_state=0).fit(X[y == c]).inertia_ for c in range(3))
    assert cost(X, y, model) <= 1.01 * theirs


def test_one_row_per_class_is_the_class_mean_in_any_order_of_rows(table):
    X, y = table
    order = np.random.default_rng(1).permutation(len(X))
    for rows, labels in ((X, y), (X[order], y[order])):
        model = KMeansCoreset(budget=1).fit(rows, labels)
        np.testing.assert_allclose(model.X_distilled_, [X[y == c].mean(axis=0) for c in range(3)], rtol=1e-12)


@pytest.mark.parametrize("representative", ["centroid", "member"])
def test_permuted_rows_give_the_same_set_where_the_optimum_is_clear(representative):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 100)
    centres = np.repeat(np.arange(10), 20)[:, None] * np.array([[30.0, -50.0]])
    X = centres + rng.normal(size=(200, 2))
    order = rng.permutation(200)
    model = KMeansCoreset(budget=5, n_init=20, representative=representative, random_state=0)
    first, second = model.fit_transform(X, y), model.fit_transform(X[order], y[order])
    np.testing.assert_allclose(np.sort(first, axis=0), np.sort(second, axis=0), rtol=1e-9)


def test_members_are_the_rows_of_their_cluster_nearest_to_its_centroid(table):
    X, y = table
    params = {"budget": 6, "max_iter": 300, "random_state": 0}
    made, picked = KMeansCoreset(**params).fit(X, y), KMeansCoreset(**params, representative="member").fit(X, y)
    np.testing.assert_array_equal(made.sample_weight_, picked.sample_weight_)
    for place, index in enumerate(picked.sample_indices_):
        label = made.y_distilled_[place]
        of_class = np.flatnonzero(y == label)
        labels, distance = assign(X[of_class], made.X_distilled_[made.y_distilled_ == label])
        mine = labels == np.flatnonzero(np.flatnonzero(made.y_distilled_ == label) == place)[0]
        assert index == of_class[mine][distance[mine].argmin()]


@pytest.mark.parametrize("seed", range(20))
def test_members_are_distinct_rows_of_the_own_class_where_a_search_by_centroid_is_not(seed):
    # snapping each centroid to the nearest of ALL rows picks rows twice or of another class
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 3, size=(60, 2)).astype(float), rng.integers(0, 2, size=60)
    model = KMeansCoreset(budget=8, representative="member", random_state=seed).fit(X, y)
    assert len(set(model.sample_indices_.tolist())) == 16
    np.testing.assert_array_equal(y[model.sample_indices_], np.repeat([0, 1], 8))


def test_many_rows_per_centroid_are_all_used(table):
    X = np.vstack([table[0]] * 5) + np.random.default_rng(0).normal(size=(1500, 5))
    np.testing.assert_allclose(KMeansCoreset(budget=1).fit(X).X_distilled_[0], X.mean(axis=0), rtol=1e-10)


def test_more_starts_never_cost_more(table):
    X, y = table
    one, ten = (KMeansCoreset(budget=8, n_init=n, random_state=3).fit(X, y) for n in (1, 10))
    for first, second in zip(one.history_, ten.history_, strict=True):
        assert second["inertia"] <= first["inertia"]


def test_history_has_one_entry_per_class(table):
    model = KMeansCoreset(budget=0.1, random_state=0).fit(*table)
    assert [(step["label"], step["rows"], step["size"]) for step in model.history_] == [
        (0, 180, 18),
        (1, 90, 9),
        (2, 30, 3),
    ]
    assert model.n_iter_ == max(step["n_iter"] for step in model.history_) <= 25
    assert {step["backend"] for step in model.history_} <= {"faiss", "faiss-gpu"}
    assert model.distilled_.provenance["stopped_by"] is None
    assert set(model.distilled_.provenance["backends"]) <= {"faiss", "faiss-gpu"}


def test_rows_made_of_integers_are_their_means_unrounded():
    X = np.array([[0], [1], [1], [9], [10], [10]], dtype=np.uint8)
    model = KMeansCoreset(budget=2, n_init=5, random_state=0).fit(X)
    np.testing.assert_allclose(sorted(model.X_distilled_.ravel()), [2 / 3, 29 / 3], rtol=1e-6)


def test_directions_are_clustered_but_rows_stay_in_their_units():
    rng = np.random.default_rng(0)
    X = rng.lognormal(sigma=2, size=(100, 1)) * (
        np.repeat([[1.0, 0.0], [0.0, 1.0]], 50, axis=0) + 0.01 * rng.normal(size=(100, 2))
    )
    model = KMeansCoreset(budget=2, spherical=True, n_init=5, random_state=0).fit(X)
    expected = [X[:50].mean(axis=0), X[50:].mean(axis=0)]
    np.testing.assert_allclose(np.sort(model.X_distilled_, axis=0), np.sort(expected, axis=0), rtol=1e-12)
    assert model.sample_weight_.tolist() == [50, 50]


class TestContinuousTarget:
    """Rows and target are clustered together."""

    def test_a_centroids_target_is_the_mean_of_its_rows_targets(self, numbers):
        X, y = numbers
        model = KMeansCoreset(budget=12, random_state=0).fit(X, y)
        assert np.average(model.y_distilled_, weights=model.sample_weight_) == pytest.approx(y.mean(), rel=1e-12)
        np.testing.assert_allclose(
            np.average(model.X_distilled_, axis=0, weights=model.sample_weight_), X.mean(axis=0), atol=1e-12
        )

    @pytest.mark.parametrize("target_weight", [0.0, 0.5, 1.0, 3.0])
    def test_the_space_is_the_one_documented(self, numbers, target_weight):
        X, y = numbers
        column = target_weight * (y - y.mean()) / y.std() * np.sqrt(X.var(axis=0).mean())
        joint = np.column_stack([X, column])
        model = KMeansCoreset(budget=12, target_weight=target_weight, max_iter=300, random_state=0).fit(X, y)
        expected = KMeansCoreset(budget=12, max_iter=300, random_state=0).fit(joint)
        np.testing.assert_allclose(model.X_distilled_, expected.X_distilled_[:, :4], rtol=1e-9)
        assert model.history_[0]["inertia"] == pytest.approx(expected.history_[0]["inertia"], rel=1e-9)

    def test_weight_zero_ignores_the_target(self, numbers):
        X, y = numbers
        params = {"budget": 12, "target_weight": 0, "random_state": 0}
        np.testing.assert_allclose(
            KMeansCoreset(**params).fit(X, y).X_distilled_, KMeansCoreset(**params).fit(X).X_distilled_, rtol=1e-9
        )

    def test_a_large_weight_groups_by_the_target(self, numbers):
        X, y = numbers
        model = KMeansCoreset(budget=8, target_weight=1e4, n_init=20, max_iter=100, random_state=0).fit(X, y)
        alone = KMeans(8, n_init=20, random_state=0).fit(y[:, None])
        assert assign(y[:, None], model.y_distilled_[:, None])[1].sum() <= 1.01 * alone.inertia_

    @pytest.mark.parametrize(("factor", "offset"), [(1e6, 0), (1, 1e9), (1e-9, 5)])
    def test_units_of_the_target_do_not_matter(self, numbers, factor, offset):
        X, y = numbers
        params = {"budget": 12, "random_state": 0}
        first, second = KMeansCoreset(**params).fit(X, y), KMeansCoreset(**params).fit(X, factor * y + offset)
        np.testing.assert_allclose(second.X_distilled_, first.X_distilled_, rtol=1e-6)

    def test_a_constant_target_or_constant_features_are_no_trouble(self, numbers):
        X, y = numbers
        constant = KMeansCoreset(budget=5, task="regression", random_state=0).fit(X, np.full(200, 0.1))
        np.testing.assert_allclose(constant.y_distilled_, 0.1)
        np.testing.assert_allclose(constant.X_distilled_, KMeansCoreset(budget=5, random_state=0).fit(X).X_distilled_)
        same_rows = KMeansCoreset(budget=5, random_state=0).fit(np.ones((200, 3)), y)
        assert np.ptp(same_rows.y_distilled_) > 0.5 * np.ptp(y)

    def test_members_keep_their_own_target(self, numbers):
        X, y = numbers
        model = KMeansCoreset(budget=12, representative="member", random_state=0).fit(X, y)
        np.testing.assert_array_equal(model.y_distilled_, y[model.sample_indices_])

    def test_whole_numbers_have_means_that_are_not(self):
        X, y = np.array([[0.0], [0.1], [9.0], [9.1]]), np.array([1, 2, 7, 8])
        model = KMeansCoreset(budget=2, task="regression", random_state=0).fit(X, y)
        assert sorted(model.y_distilled_.tolist()) == [1.5, 7.5]


class TestClock:
    """A wall-clock budget ends the steps, never the result."""

    @pytest.mark.parametrize("representative", ["centroid", "member"])
    def test_no_time_at_all_still_gives_every_row(self, table, representative):
        model = KMeansCoreset(budget=6, max_seconds=1e-9, representative=representative, random_state=0).fit(*table)
        assert np.bincount(model.y_distilled_).tolist() == [6, 6, 6]
        assert model.sample_weight_.sum() == pytest.approx(300)
        assert model.n_iter_ == 1
        assert model.distilled_.provenance["stopped_by"] == "max_seconds"

    def test_time_enough_changes_no_bit(self, table):
        free, timed = (KMeansCoreset(budget=6, max_seconds=s, random_state=0).fit(*table) for s in (None, 1e6))
        np.testing.assert_array_equal(free.X_distilled_, timed.X_distilled_)
        assert timed.n_iter_ == free.n_iter_
        assert timed.distilled_.provenance["stopped_by"] is None


class TestThreads:
    """A class for each thread changes nothing but the time."""

    @pytest.fixture(autouse=True)
    def always_threads(self, monkeypatch):
        monkeypatch.setattr(_threads, "_MIN_PARALLEL_SIZE", 0)

    @pytest.mark.parametrize("columns", [5, 30])  # faiss and NumPy
    @pytest.mark.parametrize("representative", ["centroid", "member"])
    def test_the_bits_and_the_history_are_those_of_one_thread(self, columns, representative):
        X, y = np.random.default_rng(0).normal(size=(900, columns)), np.arange(900) % 3
        model = KMeansCoreset(budget=9, representative=representative, random_state=0)
        alone, shared = (self.fitted(clone(model), X, y, threads) for threads in (1, 2))
        np.testing.assert_array_equal(shared.X_distilled_, alone.X_distilled_)
        np.testing.assert_array_equal(shared.sample_weight_, alone.sample_weight_)
        for first, second in zip(alone.history_, shared.history_, strict=True):
            assert {**first, "seconds": 0} == {**second, "seconds": 0}

    @staticmethod
    def fitted(model, X, y, threads):
        with threadpool_limits(threads):
            return model.fit(X, y)

    @pytest.mark.parametrize(("counts", "within"), [((300, 300), True), ((560, 40), False), ((300,), False)])
    def test_classes_are_shared_out_where_none_is_much_larger(self, counts, within, monkeypatch):
        seen = []

        def noting(*args, **kwargs):
            seen.append(_threads.within_thread())
            return kmeans(*args, **kwargs)

        monkeypatch.setattr(_kmeans, "kmeans", noting)
        X = np.random.default_rng(0).normal(size=(sum(counts), 5))
        self.fitted(KMeansCoreset(budget=0.05, device="cpu"), X, np.repeat(np.arange(len(counts)), counts), 2)
        assert seen == [within] * len(counts)

    @pytest.mark.parametrize("first", [True, False])
    def test_what_breaks_one_class_stops_the_others_after_their_step(self, first, monkeypatch):
        rules = []

        def broken(points, size, *, should_stop, **_):
            rules.append(should_stop)
            if (points[0, 0] == 0) != first:  # either of the two classes begun first
                deadline = time.monotonic() + 20
                while not should_stop() and time.monotonic() < deadline:
                    time.sleep(0.001)
            raise KeyboardInterrupt

        monkeypatch.setattr(_kmeans, "kmeans", broken)
        X, y = np.random.default_rng(0).normal(size=(400, 5)), np.arange(400) % 4
        X[:, 0] = y % 2
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            self.fitted(KMeansCoreset(budget=5, device="cpu"), X, y, 2)
        assert all(rule() for rule in rules)
        assert time.monotonic() - began < 20


def test_without_faiss_only_the_gpu_is_lost(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    X, y = table
    with pytest.warns(DistillkitWarning, match="NumPy computes instead") as said:
        model = KMeansCoreset(budget=6, random_state=0).fit(X, y)
    assert len(said) == 1  # not once for each class
    assert {step["backend"] for step in model.history_} == {"numpy"}
    assert model.distilled_.provenance["backends"] == ["numpy"]
    assert cost(X, y, model) < 0.8 * cost(X, y, RandomSubset(budget=6, random_state=0).fit(X, y))
