"""Defects found in published code, each as a test that ours does not have it.

DeepCore (deepcore/methods), cords, apricot: see the names of the tests.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from distillkit.coresets import (
    CraigCoreset,
    EL2NCoreset,
    ForgettingCoreset,
    GradMatchCoreset,
    GraNdCoreset,
    InfluenceCoreset,
    LeverageCoreset,
    UncertaintyCoreset,
)
from distillkit.coresets.gradients._craig import distances, facility_location
from distillkit.coresets.scores._forgetting import ForgettingCounter
from distillkit.coresets.shared._lazy_greedy import lazy_greedy
from distillkit.coresets.shared._proxy import LastLayer

EVERY = {
    "grand": GraNdCoreset(max_iter=1),
    "el2n": EL2NCoreset(max_iter=1),
    "forgetting": ForgettingCoreset(max_iter=1),
    "uncertainty": UncertaintyCoreset(),
    "craig": CraigCoreset(),
    "grad-match": GradMatchCoreset(),
    "leverage": LeverageCoreset(),
    "influence": InfluenceCoreset(),
}
every = pytest.mark.parametrize("model", EVERY.values(), ids=EVERY)


def test_deepcore_craig_weights_are_not_off_by_one(table):
    # craig.py starts each weight at one and then adds the size of the cluster, the row itself included
    X, y = table
    model = CraigCoreset(budget=6).fit(X, y)
    np.testing.assert_array_equal(model.sample_weight_, np.rint(model.sample_weight_))
    sums = np.bincount(model.y_distilled_, weights=model.sample_weight_)
    np.testing.assert_array_equal(sums, np.bincount(y))
    alone = CraigCoreset(budget={0: 180, 1: 90, 2: 30}).fit(X, y)
    np.testing.assert_array_equal(alone.sample_weight_, 1)


@pytest.mark.parametrize("strategy", ["margin", "entropy", "least-confidence"])
@pytest.mark.parametrize("budget", [5, 0.1, {0: 9, 1: 3, 2: 4}])
def test_deepcore_uncertainty_sorts_one_way_whatever_the_budget(strategy, budget, table):
    # uncertainty.py sorts ascending in its balanced branch and descending in the other
    X, y = table
    model = UncertaintyCoreset(budget=budget, strategy=strategy, keep="hard").fit(X, y)
    for c in range(3):
        own = np.flatnonzero(y == c)
        size = int((model.y_distilled_ == c).sum())
        hardest = np.sort(model.scores_[own])[::-1][:size]
        np.testing.assert_array_equal(model.scores_[model.sample_indices_[model.y_distilled_ == c]], hardest)


@pytest.mark.parametrize("strategy", ["margin", "entropy", "least-confidence"])
def test_deepcore_least_confidence_is_of_probabilities_not_logits(strategy, table):
    # DeepCore#11: the largest logit, which says nothing without the others
    class Shifted(LogisticRegression):
        """Logits that are moved, row by row, by a constant: the same probabilities."""

        def decision_function(self, X):
            return super().decision_function(X) + 1000 * np.arange(len(X))[:, None]

    X, y = table
    plain = UncertaintyCoreset(strategy=strategy, proxy=LogisticRegression()).fit(X, y)
    moved = UncertaintyCoreset(strategy=strategy, proxy=Shifted()).fit(X, y)
    np.testing.assert_allclose(moved.scores_, plain.scores_, atol=1e-9)
    assert plain.scores_.min() >= 0
    assert plain.scores_.max() <= (np.log(3) if strategy == "entropy" else 1)


@every
def test_cords_features_and_rows_keep_one_order(model, table):
    # craigstrategy.py:119 reads features in a fresh random order and indexes them as if it were the order of the rows:
    # a random selection in the class. Here rows carry their number in a column that is constant but for rounding.
    X, y = table
    numbered = np.column_stack([X, 1e9 + np.arange(300)])
    model = type(model)(**{**model.get_params(), "budget": 7, "random_state": 0}).fit(numbered, y)
    np.testing.assert_array_equal(model.X_distilled_[:, -1] - 1e9, model.sample_indices_)
    np.testing.assert_array_equal(y[model.sample_indices_], model.y_distilled_)


@pytest.mark.parametrize(
    "model", [CraigCoreset(), GradMatchCoreset(), InfluenceCoreset()], ids=lambda m: type(m).__name__
)
def test_cords_selection_is_not_random_within_the_class(model, table):
    # the same rows in another order are the same selection
    X, y = table
    order = np.random.default_rng(0).permutation(300)
    plain, moved = (type(model)(budget=5).fit(X[rows], y[rows]) for rows in (np.arange(300), order))
    assert set(order[moved.sample_indices_]) == set(plain.sample_indices_)


def test_cords_no_matrix_of_all_rows_against_all(table, monkeypatch):
    # an n x n float32 matrix; here a class at most, and of it a block
    import distillkit.coresets.gradients._craig as module

    sizes, plain = [], distances
    monkeypatch.setattr(module, "distances", lambda part: sizes.append(len(part.residual)) or plain(part))
    CraigCoreset(budget=6, max_block=64, random_state=0).fit(*table)
    assert max(sizes) <= 64
    assert sum(sizes) == 300


def test_deepcore_greedy_keeps_the_ranking():
    # a boolean mask is returned there, so that no smaller coreset can be read off
    rng = np.random.default_rng(0)
    gradients = LastLayer(rng.normal(size=(50, 3)), rng.normal(size=(50, 4)))
    distance = distances(gradients)
    whole = facility_location(distance, 20)
    for size in (1, 5, 19):
        assert facility_location(distance, size).tolist() == whole[:size].tolist()


@pytest.mark.parametrize(
    "model",
    [
        model
        for name, model in EVERY.items()
        if name in ("grand", "el2n", "forgetting", "uncertainty", "craig", "influence")
    ],
    ids=lambda m: type(m).__name__,
)
def test_deepcore_a_prefix_is_the_coreset_of_the_smaller_budget(model, table):
    large, small = (
        type(model)(**{**model.get_params(), "budget": budget, "random_state": 0}).fit(*table) for budget in (8, 3)
    )
    np.testing.assert_array_equal(large.sample_indices_[:9], small.sample_indices_)


def test_deepcore_gains_of_a_batch_are_those_of_one_by_one():
    # calc_gain_batch multiplies the offset by the size of the batch and skips rows
    rng = np.random.default_rng(0)
    worth = rng.random((70, 30))
    asked = []

    def gains(candidates):
        asked.append(candidates)
        return worth[candidates].sum(axis=1)

    picks, gained = lazy_greedy(gains, lambda _: None, 70, 70)
    first = np.concatenate(asked)[:70]
    assert sorted(first.tolist()) == list(range(70))  # each row once, none left out
    assert sorted(picks.tolist()) == list(range(70))
    np.testing.assert_allclose(gained, worth.sum(axis=1)[picks])


def test_apricot_and_deepcore_greedy_keeps_its_guarantee():
    # with epsilon=0.9 a stochastic greedy looks at -ln(0.9) n / k rows per pick and guarantees nothing; ours looks at
    # all that can still be best: no swap of a pick for any other row at its step is better
    points = np.random.default_rng(0).integers(0, 50, size=(60, 2)).astype(float)
    distance = np.abs(points[:, None] - points).sum(axis=2)
    picks = facility_location(distance, 10)
    for place in range(1, 10):
        before = distance[picks[:place]].min(axis=0)
        reached = [np.minimum(before, distance[j]).sum() for j in range(60)]
        assert reached[picks[place]] == min(reached)


def test_deepcore_a_row_never_learned_is_the_hardest_not_the_easiest():
    # no events are counted for a row that is never right: taken as zero events it would rank with the easiest
    counter = ForgettingCounter(1, 2)
    for answer in ([1, 0], [0, 0], [1, 0], [0, 0]):
        counter.update(np.array([0, 1]), np.array([answer], dtype=bool))
    never, often = counter.scores()[[1, 0]]
    assert never > often > 0


@every
def test_deepcore_global_seeds_are_left_alone(model, table):
    before = np.random.get_state()[1].copy()
    type(model)(**{**model.get_params(), "random_state": 0}).fit(*table)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@every
def test_apricot_rows_of_mixed_sign_are_taken_and_parameters_are_not_touched(model, table):
    # a standardised matrix is refused there, and the constructor converts and validates
    X, y = table
    fitted = type(model)(**{**model.get_params(), "budget": 3, "random_state": 0})
    before = fitted.get_params()
    fitted.fit(X - X.mean(axis=0), y)
    assert fitted.get_params() == before
    assert np.bincount(fitted.y_distilled_).tolist() == [3, 3, 3]


@every
def test_weights_follow_no_class_away(model, table):
    X, y = table
    fitted = type(model)(**{**model.get_params(), "budget": 4, "random_state": 0}).fit(X, y)
    sums = np.bincount(fitted.y_distilled_, weights=fitted.sample_weight_)
    np.testing.assert_allclose(sums, np.bincount(y))
    assert fitted.sample_weight_.min() > 0
