from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from distillkit.evaluators import make_boosting, make_knn, make_logistic, make_mlp, make_ridge


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(250, 3))
    return X, X @ [1.0, -2.0, 0.5] + rng.normal(size=250)


@pytest.mark.parametrize(("wanted", "n_rows", "used"), [(None, 250, 1), (3, 250, 3), (3, 2, 2), (50, 7, 7)])
def test_neighbours_are_capped_to_the_rows(wanted, n_rows, used, rows):
    X, y = rows[0], (rows[1] > 0).astype(int)
    y[0], y[1] = 0, 1
    predicted = make_knn("classification", 0, n_neighbors=wanted).fit(X[:n_rows], y[:n_rows]).predict(X)
    np.testing.assert_array_equal(predicted, KNeighborsClassifier(used).fit(X[:n_rows], y[:n_rows]).predict(X))


@pytest.mark.parametrize(("n_rows", "used"), [(250, 5), (3, 3)])
def test_five_neighbours_for_numbers(n_rows, used, rows):
    X, y = rows
    predicted = make_knn("regression", 0).fit(X[:n_rows], y[:n_rows]).predict(X)
    np.testing.assert_array_equal(predicted, KNeighborsRegressor(used).fit(X[:n_rows], y[:n_rows]).predict(X))


def test_a_number_of_neighbours_that_cannot_be(rows):
    with pytest.raises(ValueError, match="n_neighbors"):
        make_knn("regression", 0, n_neighbors=0).fit(*rows)


@pytest.mark.parametrize(("n_rows", "leaf"), [(2, 1), (10, 2), (30, 6), (100, 20), (250, 20)])
def test_leaves_follow_the_rows(n_rows, leaf, rows):
    model = make_boosting("regression", 0, max_iter=5).fit(rows[0][:n_rows], rows[1][:n_rows])
    assert model.estimator_.min_samples_leaf == leaf
    leaves = [node for stage in model.estimator_._predictors for node in stage[0].nodes if node["is_leaf"]]
    assert min(node["count"] for node in leaves) >= leaf
    assert len(leaves) > 5  # each of the five trees has split
    assert model.n_iter_ == 5


@pytest.mark.parametrize(
    ("n_rows", "steps", "expected"),
    [(10, 100, 100), (200, 100, 100), (201, 100, 2 * 50), (250, 7, 2 * 20), (250, 101, 2 * 51)],
)
def test_updates_of_the_network_are_fixed(n_rows, steps, expected, rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = make_mlp("regression", 0, steps=steps).fit(rows[0][:n_rows], rows[1][:n_rows])
    assert model.estimator_._optimizer.t == expected


def test_the_network_stops_neither_early_nor_with_a_warning_when_nothing_is_left_to_learn(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = make_mlp("regression", 0, steps=300).fit(rows[0][:10], np.zeros(10))
    assert model.estimator_._optimizer.t == 300
    np.testing.assert_allclose(model.predict(rows[0]), 0, atol=0.5)


@pytest.mark.parametrize("weight", [None, np.arange(1.0, 31.0)])
def test_the_network_does_not_care_for_the_units_of_the_target(weight, rows):
    X, y = rows[0][:30], rows[1][:30]
    small, large = (make_mlp("regression", 0, steps=200).fit(X, t, sample_weight=weight) for t in (y, 4096 * y + 2e5))
    np.testing.assert_allclose(large.predict(rows[0]), 4096 * small.predict(rows[0]) + 2e5, rtol=1e-6)
    assert small.target_mean_ == pytest.approx(np.average(y, weights=weight))


def test_the_penalty_of_the_network_is_shared_by_all_rows(rows):
    for n_rows in (30, 250):
        model = make_mlp("regression", 0, steps=2, min_epochs=1).fit(rows[0][:n_rows], rows[1][:n_rows]).estimator_
        assert model.alpha / model.batch_size == pytest.approx(1.0 / n_rows)


def test_ridge_is_the_closed_form(rows):
    X, y = rows[0][:20], rows[1][:20]
    w = np.arange(1.0, 21.0)
    mean_x, mean_y = np.average(X, axis=0, weights=w), np.average(y, weights=w)
    A = (X - mean_x).T @ np.diag(w) @ (X - mean_x) + 3.0 * np.eye(3)
    coefficients = np.linalg.solve(A, (X - mean_x).T @ (w * (y - mean_y)))
    predicted = make_ridge("regression", 0, alpha=3.0).fit(X, y, sample_weight=w).predict(rows[0])
    np.testing.assert_allclose(predicted, mean_y + (rows[0] - mean_x) @ coefficients)


def test_logistic_is_at_the_optimum_of_its_objective(rows):
    X, y = rows[0], (rows[1] > 0).astype(float)
    w = np.linspace(0.5, 2, 250)
    inner = make_logistic("classification", 0, C=0.5).fit(X, y, sample_weight=w).estimator_
    p = inner.predict_proba(X)[:, 1]
    gradient = 0.5 * X.T @ (w * (p - y)) + inner.coef_[0]
    np.testing.assert_allclose(gradient / w.sum(), 0, atol=1e-4)
    assert inner.n_iter_[0] > 1
