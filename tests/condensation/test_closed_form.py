"""Rows in closed form: linear models learn from them what they learn from all rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.linear_model import Ridge, RidgeClassifier

from distillkit.condensation import KernelDistiller
from distillkit.exceptions import DataError, DistillkitWarning


def linear(budget, alpha=1.0, **options):
    return KernelDistiller(budget, feature_map="linear", ridge=alpha, **{"random_state": 0, **options})


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_digits])
@pytest.mark.parametrize("alpha", [0.01, 1.0, 1e4])
@pytest.mark.parametrize("budget", [1, 4])
def test_a_row_per_class_carries_the_ridge_classifier_of_all_rows(load, alpha, budget):
    X, y = load(return_X_y=True)
    small = linear(budget, alpha).fit(X, y).distilled_
    assert len(small) == budget * len(np.unique(y))
    scores = small.fit(RidgeClassifier(alpha)).decision_function(X)
    np.testing.assert_allclose(scores, RidgeClassifier(alpha).fit(X, y).decision_function(X), atol=1e-6)


@pytest.mark.parametrize("init", ["kmeans", "mean", "real", "noise"])
@pytest.mark.parametrize(("budget", "alpha"), [(2, 1.0), (2, 1e3), (9, 0.01), (0.1, 1.0)])
def test_two_rows_carry_the_ridge_regression_of_all_rows(init, budget, alpha):
    X, y = load_diabetes(return_X_y=True)
    small = linear(budget, alpha, init=init).fit(X, y).distilled_
    whole, fitted = Ridge(alpha).fit(X, y), small.fit(Ridge(alpha))
    np.testing.assert_allclose(fitted.predict(X), whole.predict(X), atol=1e-6)
    np.testing.assert_allclose(fitted.coef_, whole.coef_, atol=1e-6)


def test_images_unequal_budgets_and_classes_of_unequal_size(images):
    X, y = images
    X, y = X[:45].astype(np.float64), y[:45]
    small = linear({3: 1, 7: 5}, 10.0).fit(X, y).distilled_
    assert small.X.shape == (6, 1, 8, 8)
    flat = X.reshape(45, -1)
    fitted = RidgeClassifier(10.0).fit(small.X.reshape(6, -1), small.y, sample_weight=small.sample_weight)
    np.testing.assert_allclose(
        fitted.decision_function(flat), RidgeClassifier(10.0).fit(flat, y).decision_function(flat), atol=1e-8
    )


def test_rows_beyond_what_the_coefficients_need_differ(table):
    X, y = table
    rows = linear(4).fit(X, y).X_distilled_
    assert len(np.unique(rows.round(9), axis=0)) == len(rows)


def test_more_classes_than_features():
    rng = np.random.RandomState(0)
    y = np.repeat(np.arange(5), 20)
    X = y[:, None] + rng.normal(size=(100, 1))
    small = linear(1).fit(X, y).distilled_
    expected = RidgeClassifier().fit(X, y).decision_function(X)
    np.testing.assert_allclose(small.fit(RidgeClassifier()).decision_function(X), expected, atol=1e-9)


def test_features_that_tell_nothing_and_a_target_that_never_changes():
    X = np.ones((10, 3))
    y = np.arange(10) % 2
    small = linear(1).fit(X, y).distilled_
    np.testing.assert_allclose(small.X, 1)
    constant = linear(2, task="regression").fit(np.random.RandomState(0).normal(size=(10, 3)), np.full(10, 2.5))
    np.testing.assert_allclose(constant.y_distilled_, 2.5)
    assert np.isfinite(constant.X_distilled_).all()


def test_targets_stay_in_the_range_of_the_predictions(numbers):
    X, y = numbers
    fitted = linear(6).fit(X, y)
    predicted = Ridge().fit(X, y).predict(X)
    assert fitted.y_distilled_.mean() == pytest.approx(y.mean())
    assert fitted.y_distilled_.std() == pytest.approx(predicted.std())
    reach = np.abs(X).max()
    assert np.abs(fitted.X_distilled_).max() < 2 * reach


def test_one_row_in_all_has_no_slope(numbers):
    X, y = numbers
    with pytest.warns(DistillkitWarning, match="budget=1 gives one row in all, .* give budget=2 or more"):
        fitted = linear(1).fit(X, y)
    np.testing.assert_allclose(fitted.X_distilled_[0], X.mean(axis=0))
    np.testing.assert_allclose(fitted.y_distilled_, y.mean())


def test_labels_are_not_learned(table):
    with pytest.raises(DataError, match="learn_labels=True does not go with feature_map='linear'"):
        linear(1, learn_labels=True).fit(*table)
