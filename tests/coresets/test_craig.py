"""CRAIG: plain greedy over plain distances gives the same rows, and weights are cluster sizes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from distillkit.base._training_rows import Run, TrainingRows, group_rows
from distillkit.budget import Budget
from distillkit.coresets import CraigCoreset
from distillkit.coresets.gradients._craig import distances, facility_location, nearest
from distillkit.coresets.shared._proxy import LastLayer, last_layer


def gradients_of(X, y, task="classification"):
    return last_layer(None, TrainingRows(X, y, task, group_rows(y, len(X), task, Budget(1))), Run())


def written(gradients):
    ones = np.column_stack([gradients.inputs, np.ones(len(gradients.inputs))])
    return np.einsum("ia,ij->iaj", gradients.residual, ones).reshape(len(ones), -1)


def all_distances(gradients):
    rows = written(gradients)
    return np.linalg.norm(rows[:, None] - rows, axis=2)


def plain_greedy(distance, size):
    picks, far = [], distance.max()
    for _ in range(size):
        values = [
            np.minimum(distance[[*picks, j]].min(axis=0), far).sum() if j not in picks else np.inf
            for j in range(len(distance))
        ]
        picks.append(int(np.argmin(values)))
    return picks


def test_distances_are_those_of_the_gradients_written_out(table):
    gradients = gradients_of(*table)
    np.testing.assert_allclose(distances(gradients), all_distances(gradients), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_picks_are_those_of_the_plain_greedy_rule(seed):
    points = np.random.default_rng(seed).integers(0, 9, size=(40, 3)).astype(float)
    distance = np.abs(points[:, None] - points).sum(axis=2)  # whole numbers, so that ties are ties
    assert facility_location(distance, 12).tolist() == plain_greedy(distance, 12)


def test_the_guarantee_holds_against_brute_force():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(12, 2))
    distance = np.linalg.norm(points[:, None] - points, axis=2)

    def value(picks):
        return (distance.max() - distance[list(picks)].min(axis=0)).sum()

    best = max(value(picks) for picks in itertools.combinations(range(12), 3))
    assert (1 - 1 / math.e) * best <= value(facility_location(distance, 3)) <= best


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_rows_and_weights_are_those_of_the_definition(task, table, numbers):
    X, y = table if task == "classification" else numbers
    model = CraigCoreset(budget=0.1).fit(X, y)
    gradients = gradients_of(X, y, task)
    order = np.argsort(y, kind="stable")
    parts = [np.flatnonzero(y == c) for c in range(3)] if task == "classification" else np.array_split(order, 10)
    for part in parts:
        rows = np.sort(part)
        distance = all_distances(gradients.take(rows))
        mine = np.flatnonzero(np.isin(model.sample_indices_, rows))
        picks = plain_greedy(distance, len(mine))
        assert model.sample_indices_[mine].tolist() == rows[picks].tolist()
        sizes = np.bincount(distance[picks].argmin(axis=0), minlength=len(picks))
        np.testing.assert_allclose(model.sample_weight_[mine], sizes, rtol=1e-12)
        assert sizes.sum() == len(rows)


def test_the_weighted_gradient_is_as_near_as_the_distances_say(table):
    X, y = table
    model = CraigCoreset(budget=10).fit(X, y)
    gradients = gradients_of(X, y)
    rows = written(gradients)
    error = np.linalg.norm(model.sample_weight_ @ rows[model.sample_indices_] - rows.sum(axis=0))
    bound = sum(step["distance"] * step["rows"] for step in model.history_)
    assert error <= bound * (1 + 1e-6)


def test_picked_rows_count_themselves_also_where_gradients_are_equal():
    gradients = LastLayer(np.ones((6, 2)), np.ones((6, 3)))
    labels, distance = nearest(gradients, np.array([4, 1, 2]))
    assert np.bincount(labels).tolist() == [1 + 3, 1, 1]
    np.testing.assert_array_equal(distance, 0)


def test_a_class_over_the_block_is_divided_and_nothing_larger_is_made(table, monkeypatch):
    import distillkit.coresets.gradients._craig as module

    X, y = table
    made = []
    plain = module.distances
    monkeypatch.setattr(module, "distances", lambda part: made.append(plain(part)) or made[-1])
    model = CraigCoreset(budget={0: 7, 1: 1, 2: 4}, max_block=50, random_state=0).fit(X, y)
    assert max(block.size for block in made) <= 50**2
    assert {block.dtype for block in made} == {np.dtype(np.float32)}
    assert [step["parts"] for step in model.history_] == [4, 2, 1]
    assert np.bincount(model.y_distilled_).tolist() == [7, 1, 4]
    # weights are of the whole class, not of the parts
    gradients = gradients_of(X, y)
    rows = np.flatnonzero(y == 0)
    mine = model.y_distilled_ == 0
    picks = np.searchsorted(rows, model.sample_indices_[mine])
    sizes = np.bincount(all_distances(gradients.take(rows))[picks].argmin(axis=0))
    np.testing.assert_allclose(model.sample_weight_[mine], sizes, rtol=1e-12)


def test_a_proxy_of_the_user_decides(table):
    X, y = table
    strong = make_pipeline(StandardScaler(), LogisticRegression(C=100.0))
    model = CraigCoreset(budget=5, proxy=strong).fit(X, y)
    residual = strong.fit(X, y).predict_proba(X) - np.eye(3)[y]
    gradients = LastLayer(residual, StandardScaler().fit_transform(X))
    rows = np.flatnonzero(y == 2)
    expected = rows[plain_greedy(all_distances(gradients.take(rows)), 5)]
    assert model.sample_indices_[model.y_distilled_ == 2].tolist() == expected.tolist()


def test_out_of_time_the_picks_are_those_of_the_first_gains(table):
    X, y = table
    model = CraigCoreset(budget=5, max_seconds=1e-9).fit(X, y)
    assert model.distilled_.provenance["stopped_by"] == "max_seconds"
    rows = np.flatnonzero(y == 1)
    first = rows[np.argsort(all_distances(gradients_of(X, y).take(rows)).sum(axis=0), kind="stable")[:5]]
    assert set(model.sample_indices_[model.y_distilled_ == 1]) == set(first)
