"""Influence: every closed form against a ridge model that is fitted again."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.base._training_rows import TrainingRows, group_rows
from distillkit.budget import Budget
from distillkit.coresets import InfluenceCoreset, RandomSubset
from distillkit.coresets.gradients._influence import _design
from distillkit.coresets.gradients._ridge import RidgeState, leave_one_out_increase

TASKS = ["classification", "regression"]


def training_rows(X, y, task):
    return TrainingRows(X, y, task, group_rows(y, len(X), task, Budget(1)))


@pytest.fixture(params=TASKS)
def problem(request, table, numbers):
    """Return X, y, the design and the targets of the ridge model, and its penalty for alpha=0.5."""
    X, y = table if request.param == "classification" else numbers
    design, targets = _design(training_rows(X, y, request.param))
    return X, y, design, targets, 0.5 * np.square(design).sum(axis=1).mean()


def fitted(design, targets, penalty):
    return np.linalg.solve(design.T @ design + penalty * np.eye(design.shape[1]), design.T @ targets)


def loss(design, targets, theta):
    return np.square(targets - design @ theta).sum()


def test_scores_are_those_of_leaving_each_row_out_and_fitting_again(problem):
    X, y, design, targets, penalty = problem
    scores = InfluenceCoreset(alpha=0.5).fit(X, y).scores_
    whole = loss(design, targets, fitted(design, targets, penalty))
    for i in range(0, len(X), 7):
        rest = np.arange(len(X)) != i
        rise = loss(design, targets, fitted(design[rest], targets[rest], penalty)) - whole
        assert scores[i] == pytest.approx(rise, abs=1e-9)


def test_least_squares_loses_by_every_row_leave_one_out_increase(numbers):
    X, y = numbers
    design, targets = _design(training_rows(X, y, "regression"))
    assert (
        leave_one_out_increase(design, targets, design.T @ design, 1e-9).min() > -1e-9
    )  # all rows are the optimum of their loss


@pytest.mark.parametrize("criterion", ["loss", "sensitivity", "gradient"])
def test_scores_of_each_step_are_those_of_models_fitted_again(criterion, problem):
    X, _, design, targets, penalty = problem
    state = RidgeState(design, targets, penalty, [np.arange(len(X))])
    picks = []
    for _ in range(6):
        found = state.scores(0, criterion)
        theta = fitted(design[picks], targets[picks], penalty)
        for j in range(0, len(X), 13):
            if j in picks:
                assert found[j] == -np.inf
                continue
            more = fitted(design[[*picks, j]], targets[[*picks, j]], penalty)
            expected = {
                "loss": loss(design, targets, theta) - loss(design, targets, more),
                "sensitivity": np.square(design @ (more - theta)).sum(),
                "gradient": np.linalg.norm(design[j]) * np.linalg.norm(targets[j] - design[j] @ theta),
            }[criterion]
            assert found[j] == pytest.approx(expected, rel=1e-7, abs=1e-9)
        picks.append(state.pick(0, criterion))
        assert state.loss == pytest.approx(loss(design, targets, fitted(design[picks], targets[picks], penalty)))


def test_picks_are_the_best_of_their_class_by_brute_force(problem):
    X, y, design, targets, penalty = problem
    model = InfluenceCoreset(budget=0.05, alpha=0.5).fit(X, y)
    order = np.argsort(y, kind="stable")
    classes = [np.flatnonzero(y == c) for c in range(3)] if targets.shape[1] == 3 else np.array_split(order, 10)
    for place, pick in enumerate(model.sample_indices_):
        before = model.sample_indices_[:place].tolist()
        (own,) = (part for part in classes if pick in part)
        losses = {
            j: loss(design, targets, fitted(design[[*before, j]], targets[[*before, j]], penalty))
            for j in own.tolist()
            if j not in before
        }
        assert losses[pick] <= min(losses.values()) * (1 + 1e-9)
        assert model.losses_[place] == pytest.approx(losses[pick] / len(X))


def test_a_ridge_model_of_the_picks_knows_more_than_one_of_random_rows(problem):
    X, y, design, targets, penalty = problem

    def known(model):
        picked = model.sample_indices_
        return loss(design, targets, fitted(design[picked], targets[picked], penalty))

    best = min(known(RandomSubset(budget=0.05, random_state=seed).fit(X, y)) for seed in range(20))
    assert known(InfluenceCoreset(budget=0.05, alpha=0.5).fit(X, y)) < best


def test_more_columns_than_rows_are_the_same_problem():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(24, 60)), np.repeat([0, 1], 12)
    rows = training_rows(X, y, "classification")
    design, targets = _design(rows)
    assert design.shape == (24, 24)
    scaled = np.column_stack([(X - X.mean(axis=0)) / X.std(axis=0), np.ones(24)])
    np.testing.assert_allclose(design @ design.T, scaled @ scaled.T, atol=1e-9)
    model = InfluenceCoreset(budget=2).fit(X, y)
    penalty = 0.3 * np.square(scaled).sum(axis=1).mean()
    picked = model.sample_indices_
    theta = scaled[picked].T @ np.linalg.solve(scaled[picked] @ scaled[picked].T + penalty * np.eye(4), targets[picked])
    assert model.losses_[-1] == pytest.approx(loss(scaled, targets, theta) / 24)


def test_a_smaller_budget_is_a_prefix(table):
    X, y = table
    large, small = InfluenceCoreset(budget=9).fit(X, y), InfluenceCoreset(budget=4).fit(X, y)
    np.testing.assert_array_equal(large.sample_indices_[:12], small.sample_indices_)
    np.testing.assert_array_equal(large.losses_[:12], small.losses_)


def test_out_of_time_each_class_is_filled_by_its_scores(table):
    X, y = table
    model = InfluenceCoreset(budget=4, max_seconds=1e-9).fit(X, y)
    assert model.distilled_.provenance["stopped_by"] == "max_seconds"
    assert np.bincount(model.y_distilled_).tolist() == [4, 4, 4]
    assert len(set(model.sample_indices_.tolist())) == len(model.losses_) == 12
    assert len(set(model.losses_.tolist())) == 1
