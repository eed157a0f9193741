"""LightweightCoreset and SensitivityCoreset: their formulas, and weights that are right in expectation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from distillkit.base import Group, Run, TrainingRows
from distillkit.coresets import LightweightCoreset, RandomSubset, SensitivityCoreset
from distillkit.coresets.sampling import _two_pass
from distillkit.coresets.sampling._sensitivity import sensitivity_bounds
from distillkit.coresets.sampling._two_pass import squared_distances_to_means
from distillkit.neighbors import _threads, kmeans_plus_plus

MODELS = {"lightweight": LightweightCoreset(), "sensitivity": SensitivityCoreset(n_clusters=4)}
both = pytest.mark.parametrize("name", MODELS)


def fitted(name, X, y=None, **params):
    params = {"random_state": 0, **params}
    return type(MODELS[name])(**{**MODELS[name].get_params(), **params}).fit(X, y)


def lightweight(points):
    squared = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
    return 0.5 / len(points) + 0.5 * squared / squared.sum()


@pytest.fixture
def skewed():
    """Rows of which a few are far away."""
    rng = np.random.default_rng(3)
    return np.vstack([rng.normal(size=(95, 3)), rng.normal(size=(5, 3)) + 30])


class TestProbabilities:
    """The formulas of the papers."""

    def test_lightweight_shares(self, table):
        X, y = table
        model = fitted("lightweight", X, y, budget=3)
        for c in range(3):
            np.testing.assert_allclose(model.inclusion_probabilities_[y == c], 3 * lightweight(X[y == c]), rtol=1e-9)

    def test_sensitivity_shares(self, table):
        X, _ = table
        mass, k = np.ones(300), 4
        start = kmeans_plus_plus(X, k, seed=7)
        squared = ((X - X[start.indices[start.labels]]) ** 2).sum(axis=1)
        alpha, mean = 16 * (np.log(k) + 2), squared.mean()
        expected = np.empty(300)
        for i in range(300):
            own = start.labels == start.labels[i]
            expected[i] = (
                alpha * squared[i] / mean + 2 * alpha * squared[own].sum() / (own.sum() * mean) + 4 * 300 / own.sum()
            )
        np.testing.assert_allclose(sensitivity_bounds(X, k, mass, seed=7), expected, rtol=1e-9)

    @pytest.mark.parametrize("seed", range(3))
    def test_no_choice_of_centres_gives_a_row_more_than_its_bound(self, seed):
        X = np.random.default_rng(seed).gamma(0.3, size=(14, 2))
        bound = sensitivity_bounds(X, 2, np.ones(14), seed=seed)
        centres = np.vstack([X, X.mean(axis=0), 10 * X[:3]])
        for chosen in itertools.combinations(range(len(centres)), 2):
            squared = ((X[:, None] - centres[list(chosen)]) ** 2).sum(axis=2).min(axis=1)
            assert (14 * squared / squared.sum() <= bound).all()

    @both
    @pytest.mark.parametrize("budget", [1, 5, 40, 99, 100])
    def test_they_are_at_most_one_and_sum_to_the_budget(self, name, budget, skewed):
        chance = fitted(name, skewed, budget=budget).inclusion_probabilities_
        assert 0 < chance.min() <= chance.max() <= 1
        assert chance.sum() == pytest.approx(budget)

    @both
    def test_far_rows_are_likely_and_weigh_little(self, name, skewed):
        model = fitted(name, skewed, budget=20)
        chance = model.inclusion_probabilities_
        assert chance[95:].min() > 2 * np.median(chance[:95])
        far = model.sample_indices_ >= 95
        assert far.sum() > 0
        assert model.sample_weight_[far].max() < model.sample_weight_[~far].min()

    @both
    def test_equal_rows_are_equally_likely(self, name):
        np.testing.assert_allclose(fitted(name, np.full((20, 3), 0.1), budget=5).inclusion_probabilities_, 0.25)

    @both
    def test_rows_where_probability_reaches_one_are_always_there(self, name):
        X = np.vstack([np.random.default_rng(0).normal(size=(50, 2)), [[1e4, 0.0]]])
        for seed in range(20):
            params = {"n_clusters": 1} if name == "sensitivity" else {}
            model = fitted(name, X, budget=6, random_state=seed, **params)
            assert model.inclusion_probabilities_[50] == 1
            assert 50 in model.sample_indices_


class TestUnbiased:
    """1 / inclusion_probabilities_ are weights without bias; sample_weight_ are these, scaled."""

    @pytest.mark.parametrize("budget", [4, 30])
    def test_lightweight_sums_are_right_in_expectation(self, skewed, budget):
        self.check(skewed, lambda s: fitted("lightweight", skewed, budget=budget, random_state=s))

    @pytest.mark.parametrize("budget", [4, 30])
    def test_sensitivity_sums_are_right_in_expectation(self, skewed, budget):
        # the bounds depend on the k-means++ rows of each fit; given these, and so on the whole, sums are right
        self.check(skewed, lambda s: fitted("sensitivity", skewed, budget=budget, random_state=s))

    @staticmethod
    def check(X, fit):
        centres = np.array([[0.0, 0.0, 0.0], [20.0, 30.0, 30.0]])
        cost = ((X[:, None] - centres) ** 2).sum(axis=2).min(axis=1)
        functions = np.column_stack([np.ones(100), X, cost, X[:, 0] > 25])
        draws = []
        for seed in range(400):
            model = fit(seed)
            weight = 1 / model.inclusion_probabilities_[model.sample_indices_]
            draws.append(weight @ functions[model.sample_indices_])
        error = np.std(draws, axis=0) / np.sqrt(400)
        assert (np.abs(np.mean(draws, axis=0) - functions.sum(axis=0)) <= 4.5 * error + 1e-9).all()

    def test_each_row_is_drawn_as_often_as_said(self, skewed):
        counts = np.zeros(100)
        for seed in range(800):
            model = fitted("lightweight", skewed, budget=10, random_state=seed)
            counts[model.sample_indices_] += 1
        chance = model.inclusion_probabilities_
        assert (np.abs(counts - 800 * chance) <= 5 * np.sqrt(800 * chance * (1 - chance)) + 1e-9).all()

    @both
    def test_sample_weights_are_these_scaled_to_the_rows_of_each_class(self, name, table):
        X, y = table
        model = fitted(name, X, y, budget=8)
        unbiased = 1 / model.inclusion_probabilities_[model.sample_indices_]
        for c, rows in enumerate(np.bincount(y)):
            own = model.y_distilled_ == c
            np.testing.assert_allclose(model.sample_weight_[own], unbiased[own] * rows / unbiased[own].sum())
            assert model.history_[c]["unscaled"] == pytest.approx(unbiased[own].sum())

    @both
    def test_rows_are_all_different_also_where_drawing_with_replacement_would_repeat(self, name, skewed):
        for seed in range(50):
            picks = fitted(name, skewed, budget=60, random_state=seed).sample_indices_
            assert len(set(picks.tolist())) == 60

    @both
    def test_k_means_costs_are_estimated_better_than_by_random_rows(self, name, skewed):
        centres = np.array([[0.0, 0.0, 0.0], [5.0, 5.0, 5.0]])
        cost = ((skewed[:, None] - centres) ** 2).sum(axis=2).min(axis=1)

        def error(model):
            return abs(model.sample_weight_ @ cost[model.sample_indices_] / cost.sum() - 1)

        ours = np.mean([error(fitted(name, skewed, budget=15, random_state=s)) for s in range(60)])
        random = np.mean([error(RandomSubset(15, random_state=s).fit(skewed)) for s in range(60)])
        assert ours < 0.6 * random


class TestContinuousTarget:
    """The target is one more column."""

    @pytest.mark.parametrize("target_weight", [0.0, 1.0, 3.0])
    def test_the_space_is_the_one_documented(self, numbers, target_weight):
        X, y = numbers
        column = target_weight * (y - y.mean()) / y.std() * np.sqrt(X.var(axis=0).mean())
        model = fitted("lightweight", X, y, budget=10, target_weight=target_weight)
        np.testing.assert_allclose(
            model.inclusion_probabilities_, 10 * lightweight(np.column_stack([X, column])), rtol=1e-9
        )

    @both
    def test_units_do_not_matter_and_a_constant_target_changes_nothing(self, name, numbers):
        X, y = numbers
        first, second = (fitted(name, X, target, budget=20) for target in (y, 1e6 * y - 3))
        np.testing.assert_array_equal(first.sample_indices_, second.sample_indices_)
        constant = fitted(name, X, np.full(200, 0.1), budget=20, task="regression")
        np.testing.assert_array_equal(constant.sample_indices_, fitted(name, X, budget=20).sample_indices_)

    @both
    def test_constant_features_leave_the_target(self, name, numbers):
        _, y = numbers
        chance = fitted(name, np.ones((200, 2)), y, budget=20).inclusion_probabilities_
        assert np.ptp(chance) > 0.01


@both
def test_rows_that_stand_for_several_are_drawn_and_weighed_so(name, numbers):
    X, _ = numbers
    times = np.random.default_rng(0).integers(1, 4, size=200).astype(float)
    rows = TrainingRows(X, None, None, (Group(None, np.arange(200), 25),), weight=times)
    model = MODELS[name]
    outcome = model._distill(rows, Run(random_state=0))
    expected = times[outcome.indices] / model.inclusion_probabilities_[outcome.indices]
    np.testing.assert_allclose(outcome.weight, expected * times.sum() / expected.sum())
    if name == "lightweight":
        squared = ((X - np.average(X, axis=0, weights=times)) ** 2).sum(axis=1)
        share = 0.5 * times / times.sum() + 0.5 * times * squared / (times * squared).sum()
        np.testing.assert_allclose(model.inclusion_probabilities_, 25 * share)


class TestPasses:
    """Squared distances to the means of parts, block by block."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("step_bytes", [100, 2**20])
    def test_they_are_those_of_brute_force(self, dtype, step_bytes, monkeypatch):
        monkeypatch.setattr(_two_pass, "_BLOCK_BYTES", step_bytes)
        rng = np.random.default_rng(0)
        X, label = rng.normal(size=(200, 6)).astype(dtype), rng.integers(3, size=200)
        parts = [np.flatnonzero(label == c) for c in range(3)]
        found = squared_distances_to_means(X, parts)
        for part in parts:
            np.testing.assert_allclose(found[part], ((X[part] - X[part].mean(axis=0)) ** 2).sum(axis=1), rtol=1e-5)
        alone = squared_distances_to_means(X, [np.arange(200)])
        np.testing.assert_allclose(alone, ((X - X.mean(axis=0)) ** 2).sum(axis=1), rtol=1e-5)

    def test_threads_do_not_change_a_bit(self, monkeypatch):
        monkeypatch.setattr(_threads, "_MIN_PARALLEL_SIZE", 0)
        monkeypatch.setattr(_two_pass, "_BLOCK_BYTES", 4000)
        X = np.random.default_rng(0).normal(size=(3000, 20)).astype(np.float32)
        parts = [np.arange(0, 3000, 2), np.arange(1, 3000, 2)]
        found = []
        for threads in (1, 2):
            with threadpool_limits(threads):
                found.append(squared_distances_to_means(X, parts))
        np.testing.assert_array_equal(*found)

    @pytest.mark.parametrize(("dtype", "offset"), [(np.float64, 1e6), (np.float32, 1e3), (np.float32, 5.0)])
    def test_a_large_offset_costs_no_precision(self, dtype, offset):
        X = (np.random.default_rng(0).normal(size=(100, 3)) + offset).astype(dtype)
        exact = ((X.astype(np.float64) - X.mean(axis=0, dtype=np.float64)) ** 2).sum(axis=1)
        for parts in ([np.arange(100)], [np.arange(100), np.empty(0, dtype=int)]):
            found = squared_distances_to_means(X, parts)
            # what rounding moves the mean by counts against the spread, not against the offset
            np.testing.assert_allclose(
                found, exact, rtol=1e-8 if dtype == np.float64 else 1e-3, atol=1e-4 * exact.mean()
            )

    @pytest.mark.parametrize("parts", [1, 2])
    @pytest.mark.parametrize(("offset", "factor"), [(1e5, 1), (3e5, 1), (0, 1e30)])
    def test_sums_of_many_float32_rows_far_from_the_origin_keep_the_spread(self, offset, factor, parts):
        X = (factor * (np.random.default_rng(0).normal(size=(20_000, 3)) + offset)).astype(np.float32)
        exact = ((X.astype(np.float64) - X.mean(axis=0, dtype=np.float64)) ** 2).sum(axis=1)
        owned = [np.arange(20_000)] if parts == 1 else [np.arange(20_000), np.empty(0, dtype=int)]
        with np.errstate(over="ignore", invalid="ignore"):
            found = squared_distances_to_means(X, owned)
        np.testing.assert_allclose(found, exact, rtol=1e-3, atol=1e-4 * exact.mean())

    def test_a_group_far_from_the_origin_beside_one_that_is_not_keeps_its_spread(self):
        X = np.random.default_rng(0).normal(size=(20_000, 3)).astype(np.float32)
        X[::2] += np.float32(1e5)
        parts = [np.arange(0, 20_000, 2), np.arange(1, 20_000, 2)]
        found = squared_distances_to_means(X, parts)
        for part in parts:
            exact = ((X[part] - X[part].mean(axis=0, dtype=np.float64)) ** 2).sum(axis=1)
            np.testing.assert_allclose(found[part], exact, rtol=1e-3, atol=1e-4 * exact.mean())

    def test_rows_of_no_part_have_none(self):
        X = np.random.default_rng(0).normal(size=(40, 3))
        parts = [np.arange(5, 20), np.arange(20, 33)]
        found = squared_distances_to_means(X, parts)
        assert (found[:5] == 0).all()
        assert (found[33:] == 0).all()
        for part in parts:
            np.testing.assert_allclose(found[part], ((X[part] - X[part].mean(axis=0)) ** 2).sum(axis=1), rtol=1e-9)
