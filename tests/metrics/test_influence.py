from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference


def small_set(n, seed=0, y=None, X=None):
    rows = np.random.default_rng(seed).choice(len(X), n, replace=False)
    weight = np.random.default_rng(seed + 1).uniform(0.5, 2, n)
    return DistilledSet(X[rows], y[rows], weight, provenance={"task": "regression" if y.dtype.kind == "f" else None})


def refits(X, targets, small, small_targets, weight, alpha):
    """Return the mean squared error on X without each row, minus that with all of them."""
    weight = weight / weight.mean()

    def loss(rows):
        model = Ridge(alpha=alpha, solver="cholesky").fit(small[rows], small_targets[rows], sample_weight=weight[rows])
        return np.square(model.predict(X).reshape(targets.shape) - targets).sum(axis=1).mean()

    everything = np.arange(len(small))
    return np.array([loss(np.delete(everything, row)) - loss(everything) for row in everything])


@pytest.mark.parametrize("n", [8, 40])  # fewer and more rows than columns
def test_influence_on_ridge_equals_brute_force_for_classes(n):
    X, y = load_wine(return_X_y=True)
    small = small_set(n, X=X, y=y)
    scaled, own = (X - X.mean(axis=0)) / X.std(axis=0), (small.X - X.mean(axis=0)) / X.std(axis=0)
    expected = refits(scaled, np.eye(3)[y], own, np.eye(3)[small.y], small.sample_weight, 2.0)
    values = metrics.influences(X, y, small, alpha=2.0)
    np.testing.assert_allclose(values, expected, rtol=1e-7, atol=1e-10)
    assert metrics.influence(X, y, small, alpha=2.0) == pytest.approx(expected.mean(), rel=1e-7)


def test_influence_on_ridge_equals_brute_force_for_numbers_and_soft_labels():
    X, y = load_diabetes(return_X_y=True)
    small = small_set(30, X=X, y=y)
    scaled, own = (X - X.mean(axis=0)) / X.std(axis=0), (small.X - X.mean(axis=0)) / X.std(axis=0)
    targets, small_targets = (y - y.mean()) / y.std(), (small.y - y.mean()) / y.std()
    expected = refits(scaled, targets[:, None], own, small_targets[:, None], small.sample_weight, 1.0)
    np.testing.assert_allclose(metrics.influences(X, y, small), expected, rtol=1e-7, atol=1e-10)
    X, y = load_wine(return_X_y=True)
    small = small_set(20, X=X, y=y)
    small.soft_labels = np.random.default_rng(2).dirichlet(np.ones(3), 20)
    scaled, own = (X - X.mean(axis=0)) / X.std(axis=0), (small.X - X.mean(axis=0)) / X.std(axis=0)
    expected = refits(scaled, np.eye(3)[y], own, small.soft_labels, small.sample_weight, 1.0)
    np.testing.assert_allclose(metrics.influences(X, y, small), expected, rtol=1e-7, atol=1e-10)


def test_influence_on_logistic_regression_equals_brute_force():
    X, y = load_wine(return_X_y=True)
    small = small_set(15, X=X, y=y)
    scaled, own = (X - X.mean(axis=0)) / X.std(axis=0), (small.X - X.mean(axis=0)) / X.std(axis=0)
    scaled, own = (np.column_stack([rows, np.ones(len(rows))]) for rows in (scaled, own))
    weight = small.sample_weight / small.sample_weight.mean()

    def loss(rows):
        model = LogisticRegression(fit_intercept=False, tol=1e-10, max_iter=10_000)
        return log_loss(y, model.fit(own[rows], small.y[rows], weight[rows]).predict_proba(scaled))

    everything = np.arange(15)
    expected = [loss(np.delete(everything, row)) - loss(everything) for row in everything]
    np.testing.assert_allclose(metrics.influences(X, y, small, proxy="logistic"), expected, atol=2e-4)


def test_copies_have_less_influence_and_wrong_labels_a_bad_one():
    X, y = load_wine(return_X_y=True)
    rows = np.concatenate([np.flatnonzero(y == label)[:5] for label in range(3)])
    good = metrics.influence(X, y, DistilledSet(X[rows], y[rows]))
    twice = metrics.influence(X, y, DistilledSet(np.tile(X[rows], (3, 1)), np.tile(y[rows], 3)), alpha=3.0)
    assert abs(twice) < good / 2  # the same model, of which one third of a row is left out
    labels = y[rows].copy()
    labels[0] = 2
    wrong = metrics.influences(X, y, DistilledSet(X[rows], labels))
    assert wrong.argmin() == 0
    assert wrong[0] < 0


def test_a_reference_and_the_order_of_training_rows_change_nothing():
    X, y = load_wine(return_X_y=True)
    small = small_set(15, X=X, y=y)
    value = metrics.influence(X, y, small)
    assert metrics.influence(Reference(X, y), None, small) == pytest.approx(value, rel=1e-9)
    assert metrics.influence(X[::-1], y[::-1], small) == pytest.approx(value, rel=1e-9)
    assert metrics.influence(
        X * 10 - 3, y, DistilledSet(small.X * 10 - 3, small.y, small.sample_weight)
    ) == pytest.approx(value, rel=1e-6)


def test_many_rows_are_left_out_by_a_draw_that_says_so(monkeypatch):
    from distillkit.metrics.models import _influence

    X, y = load_wine(return_X_y=True)
    monkeypatch.setattr(_influence, "_MOST_REFITS", 6)
    value = metrics.influence(X, y, small_set(15, X=X, y=y), proxy="logistic")
    assert value.note == "the mean over 6 of 15 distilled rows."
    assert value.error > 0


def test_errors_that_name_the_remedy():
    X, y = load_wine(return_X_y=True)
    small = DistilledSet(X[:4], y[:4])
    with pytest.raises(DataError, match="proxy='tree'"):
        metrics.influence(X, y, small, proxy="tree")
    with pytest.raises(DataError, match="alpha=0"):
        metrics.influence(X, y, small, alpha=0)
    with pytest.raises(DataError, match="at least two classes"):
        metrics.influence(X, y, small, proxy="logistic")
    with pytest.raises(DataError, match="need targets"):
        metrics.influence(X, None, DistilledSet(X[:4]))
    with pytest.raises(DataError, match="needs class labels"):
        metrics.influence(
            *load_diabetes(return_X_y=True),
            small_set(9, X=load_diabetes().data, y=load_diabetes().target),
            proxy="logistic",
        )
    assert metrics.influence(X, y, DistilledSet(X[:1], y[:1])) is None
    with pytest.raises(DataError, match="at least two rows"):
        metrics.influences(X, y, DistilledSet(X[:1], y[:1]))
