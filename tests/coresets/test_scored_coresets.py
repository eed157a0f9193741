"""GraNd, EL2N, forgetting and uncertainty: scores by their formulas, and the end of the ranking that is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare, entropy
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier

from distillkit.base._training_rows import Run
from distillkit.coresets import EL2NCoreset, ForgettingCoreset, GraNdCoreset, UncertaintyCoreset
from distillkit.coresets.scores._ensemble import ProxyTrainingData, train_ensemble
from distillkit.coresets.scores._forgetting import ForgettingCounter
from distillkit.coresets.scores._uncertainty import uncertainty
from distillkit.coresets.shared._features import standardized_target
from distillkit.exceptions import DataError
from distillkit.nn import NetworkClassifier

ALL = {
    "grand": GraNdCoreset(max_iter=2),
    "el2n": EL2NCoreset(max_iter=2),
    "forgetting": ForgettingCoreset(max_iter=3),
    "uncertainty": UncertaintyCoreset(),
}
every = pytest.mark.parametrize("name", ALL)


def make(name, **params):
    return clone(ALL[name]).set_params(**{"random_state": 0, **params})


@every
@pytest.mark.parametrize("keep", ["easy", "hard"])
def test_the_end_asked_for_is_kept_in_each_class_in_order(name, keep, table):
    X, y = table
    model = make(name, keep=keep, budget=0.1).fit(X, y)
    assert model.scores_.shape == (300,)
    sign = 1 if keep == "easy" else -1
    for c in range(3):
        picked = model.sample_indices_[model.y_distilled_ == c]
        scores = sign * model.scores_
        assert (np.diff(scores[picked]) >= 0).all()
        left = np.setdiff1d(np.flatnonzero(y == c), picked)
        assert scores[picked].max() <= scores[left].min()


@every
@pytest.mark.parametrize("keep", ["easy", "hard"])
def test_rows_are_drawn_among_the_share_at_the_end_asked_for(name, keep, table):
    X, y = table
    sign = 1 if keep == "easy" else -1
    model, other = (make(name, keep=keep, budget=5, among=0.3, random_state=seed).fit(X, y) for seed in range(2))
    for c in range(3):
        key = np.sort(sign * model.scores_[y == c])
        picked = model.sample_indices_[model.y_distilled_ == c]
        assert len(set(picked.tolist())) == 5
        assert (sign * model.scores_[picked]).max() <= key[int(np.ceil(0.3 * len(key))) - 1]
        np.testing.assert_allclose(model.sample_weight_[model.y_distilled_ == c], len(key) / 5)
    drawn, end = set(model.sample_indices_.tolist()), make(name, keep=keep, budget=5).fit(X, y).sample_indices_
    assert drawn != set(other.sample_indices_.tolist())
    assert drawn != set(end.tolist())  # by lot, and not the end itself


@every
def test_a_share_of_fewer_rows_than_the_budget_is_the_end_itself(name, table):
    X, y = table
    end, drawn = (make(name, budget=10, among=among).fit(X, y).sample_indices_ for among in (None, 0.05))
    assert set(end.tolist()) == set(drawn.tolist())


def test_among_all_rows_every_row_is_as_likely_as_any_other():
    X, y = np.arange(40.0)[:, None], np.repeat([0, 1], 20)
    drawn = [
        UncertaintyCoreset(budget=5, keep="hard", among=1.0, random_state=seed).fit(X, y).sample_indices_
        for seed in range(400)
    ]
    counts = np.bincount(np.concatenate(drawn), minlength=40)
    assert chisquare(counts).pvalue > 1e-4  # drawn without replacement: even less spread than this test allows for


@every
def test_hard_rows_are_those_with_wrong_labels(name, table):
    # by its features a row of class 0 that is called 2 is a row of class 0: every score must see it
    X, y = table
    wrong = np.flatnonzero(y == 0)[:3]
    y = y.copy()
    y[wrong] = 2
    scores = make(name, **({"max_iter": 20} if name != "uncertainty" else {})).fit(X, y).scores_
    if name == "uncertainty":  # knows no labels: its hard rows lie between the classes
        margin = np.abs(X @ np.ones(5) - 7.5)
        assert scores[np.argsort(margin)[:20]].mean() > scores.mean()
    else:
        assert scores[wrong].mean() > np.percentile(scores, 90)


@pytest.mark.parametrize("name", ["grand", "el2n"])
def test_a_continuous_target_is_ranked_within_quantile_bins(name, numbers):
    X, y = numbers
    model = make(name, budget=20).fit(X, y)
    bins = np.empty(200, dtype=int)
    bins[np.argsort(y, kind="stable")] = np.repeat(np.arange(10), 20)
    np.testing.assert_array_equal(np.bincount(bins[model.sample_indices_]), np.full(10, 2))
    for number in range(10):
        mine = model.sample_indices_[bins[model.sample_indices_] == number]
        assert model.scores_[mine].max() == np.sort(model.scores_[bins == number])[1]


def test_el2n_is_the_mean_length_of_the_errors_of_the_members(table):
    X, y = table
    model = EL2NCoreset(members=3, max_iter=2, random_state=4).fit(X, y)
    rows = _rows(X, y, "classification")
    training_data = ProxyTrainingData.of(rows)
    ensemble = train_ensemble(
        training_data, Run(random_state=4), members=3, hidden=32, epochs=2, batch_size=64, lr=0.01
    )
    probabilities = ensemble.forward(training_data.X)[1]
    np.testing.assert_allclose(probabilities.sum(axis=2), 1, rtol=1e-5)
    expected = np.sqrt(((probabilities - np.eye(3)[y]) ** 2).sum(axis=2)).mean(axis=0)
    np.testing.assert_allclose(model.scores_, expected, rtol=1e-5)


def test_el2n_of_a_proxy_follows_the_formula(table):
    X, y = table
    model = EL2NCoreset(proxy=LogisticRegression()).fit(X, y)
    errors = LogisticRegression().fit(X, y).predict_proba(X) - np.eye(3)[y]
    np.testing.assert_allclose(model.scores_, np.linalg.norm(errors, axis=1))
    assert model.n_iter_ == 5  # solvers of LogisticRegression may be random, so it is fitted once per member


def test_el2n_of_a_random_proxy_is_the_mean_over_its_seeds(table):
    X, y = table
    proxy = DecisionTreeClassifier(max_depth=2, max_features=1)
    model = EL2NCoreset(proxy=proxy, members=4, random_state=9).fit(X, y)
    run = Run(random_state=9)
    errors = [
        clone(proxy).set_params(random_state=run.seed()).fit(X, y).predict_proba(X) - np.eye(3)[y] for _ in "1234"
    ]
    np.testing.assert_allclose(model.scores_, np.linalg.norm(errors, axis=2).mean(axis=0))
    fixed = EL2NCoreset(proxy=clone(proxy).set_params(random_state=1), members=4).fit(X, y)
    assert fixed.n_iter_ == len(fixed.history_) == 1


def test_el2n_of_a_continuous_target_is_the_absolute_residual(numbers):
    X, y = numbers
    scores = EL2NCoreset(proxy=Ridge()).fit(X, y).scores_
    np.testing.assert_allclose(scores, np.abs(Ridge().fit(X, y).predict(X) - y) / y.std())
    assert standardized_target(y).std() == pytest.approx(1)


def test_el2n_takes_our_networks(table):
    X, y = table
    proxy = NetworkClassifier(hidden=(8,), epochs=3, device="cpu")
    model = EL2NCoreset(proxy=proxy, members=2, random_state=0).fit(X.astype(np.float32), y)
    assert model.n_iter_ == 2
    assert 0 <= model.scores_.min() <= model.scores_.max() <= np.sqrt(2)


def test_grand_is_the_mean_over_the_members(table):
    X, y = table
    model = GraNdCoreset(members=3, max_iter=1, random_state=4).fit(X, y)
    training_data = ProxyTrainingData.of(_rows(X, y, "classification"))
    ensemble = train_ensemble(
        training_data, Run(random_state=4), members=3, hidden=32, epochs=1, batch_size=64, lr=0.01
    )
    expected = ensemble.gradient_norms(training_data.X, training_data.targets).mean(axis=0)
    np.testing.assert_allclose(model.scores_, expected, rtol=1e-5)


def test_forgetting_events_of_a_sequence_counted_by_hand():
    #            row 0: R W R W R  two events      row 1: never right    row 2: always right
    #            row 3: W R R W W  one event       row 4: seen twice only, W R  none
    counter = ForgettingCounter(1, 5)
    right = np.array([[1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 1, 0, 0]], dtype=bool)
    for time in range(5):
        counter.update(np.array([2, 0, 3, 1]), right[[2, 0, 3, 1], time][None])
    for answer in (False, True):
        counter.update(np.array([4]), np.array([[answer]]))
    assert counter.events.tolist() == [[2, 0, 0, 1, 0]]
    assert counter.scores().tolist() == [2, 5, 0, 1, 0]  # never right: as often as it was seen, beyond any other


def test_forgetting_is_the_mean_over_models():
    counter = ForgettingCounter(2, 1)
    for answers in ([1, 0], [0, 0], [1, 0]):
        counter.update(np.array([0]), np.array(answers, dtype=bool)[:, None])
    assert counter.scores().tolist() == [(1 + 3) / 2]


def test_forgetting_counts_what_the_networks_said_before_each_step(table):
    X, y = table
    model = ForgettingCoreset(members=2, max_iter=4, lr=0.1, random_state=4).fit(X, y)
    said = []
    training_data = ProxyTrainingData.of(_rows(X, y, "classification"))
    train_ensemble(
        training_data, Run(random_state=4), members=2, hidden=32, epochs=4, batch_size=64, lr=0.1,
        on_batch=lambda rows, outputs: said.extend(zip(rows, (outputs.argmax(axis=2) == y[rows]).T, strict=True)),
    )  # fmt: skip
    scores = np.zeros(300)
    for row in range(300):
        answers = np.array([answer for seen, answer in said if seen == row])
        assert len(answers) == 4
        events = (answers[:-1] & ~answers[1:]).sum(axis=0)
        scores[row] = np.where(answers.any(axis=0), events, 4).mean()
    np.testing.assert_array_equal(model.scores_, scores)
    assert scores.max() > 0


def test_equal_scores_are_ordered_by_lot():
    X, y = np.zeros((50, 2)), np.repeat([0, 1], 25)
    picks = [make("uncertainty", budget=5, random_state=seed).fit(X, y).sample_indices_.tolist() for seed in (0, 1)]
    assert picks[0] != picks[1]
    assert sorted(picks[0]) != [*range(5), *range(25, 30)]  # the order of the file must not choose


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("margin", lambda p: 1 - (np.sort(p)[:, -1] - np.sort(p)[:, -2])),
        ("entropy", lambda p: entropy(p, axis=1)),
        ("least-confidence", lambda p: 1 - p.max(axis=1)),
    ],
)
def test_uncertainty_follows_its_formula(strategy, expected, table):
    X, y = table
    model = UncertaintyCoreset(strategy=strategy, proxy=LogisticRegression()).fit(X, y)
    probabilities = LogisticRegression().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.scores_, expected(probabilities), atol=1e-12)


@pytest.mark.parametrize("strategy", ["margin", "entropy", "least-confidence"])
def test_certain_rows_have_no_uncertainty_and_even_ones_the_most(strategy):
    scores = uncertainty(np.array([[1.0, 0, 0], [0.6, 0.3, 0.1], [1 / 3] * 3]), strategy)
    assert scores[0] == 0
    assert scores[0] < scores[1] < scores[2]
    np.testing.assert_array_equal(uncertainty(np.ones((2, 1)), strategy), 0)  # one class alone


@pytest.mark.parametrize("name", ["forgetting", "uncertainty"])
def test_what_needs_classes_refuses_numbers_and_names_the_alternative(name, numbers):
    with pytest.raises(DataError, match="needs classes, but y is a continuous target: use EL2NCoreset"):
        make(name).fit(*numbers)


def _rows(X, y, task):
    from distillkit.base._training_rows import TrainingRows, group_rows
    from distillkit.budget import Budget

    return TrainingRows(X, y, task, group_rows(y, len(X), task, Budget(1)))
