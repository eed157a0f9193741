from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from distillkit.utils._soft_labels import expand_soft_labels


def test_rows_stand_once_per_class_with_its_probability():
    X, y, weight = expand_soft_labels(
        np.array([[1.0], [2.0]]), np.array([[0.25, 0.75], [1.0, 0.0]]), np.array(["a", "b"]), np.array([4.0, 6.0])
    )
    assert X.ravel().tolist() == [1.0, 1.0, 2.0]
    assert y.tolist() == ["a", "b", "a"]
    np.testing.assert_allclose(weight, [1.0, 3.0, 6.0])


def test_small_probabilities_are_left_out_and_the_weight_of_a_row_stays():
    soft = np.array([[1e-6, 0.5, 0.5 - 1e-6]])
    _, y, weight = expand_soft_labels(np.zeros((1, 1)), soft, np.arange(3), np.array([7.0]))
    assert y.tolist() == [1, 2]
    np.testing.assert_allclose(weight.sum(), 7.0)


def test_a_row_without_any_sure_class_keeps_its_likeliest():
    n_classes = 20_000
    soft = np.full((1, n_classes), 1 / n_classes)
    soft[0, 3] *= 1.5
    _, y, weight = expand_soft_labels(np.zeros((1, 1)), soft / soft.sum(), np.arange(n_classes))
    assert y.tolist() == [3]
    np.testing.assert_allclose(weight, [1.0])


def test_logistic_regression_on_expanded_rows_minimises_soft_cross_entropy():
    rng = np.random.RandomState(0)
    X, p = rng.randn(30, 2), rng.uniform(0.05, 0.95, size=30)
    rows, labels, weight = expand_soft_labels(X, np.column_stack([1 - p, p]), np.array([0, 1]))
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(rows, labels, sample_weight=weight)

    def objective(w):
        z = X @ w[:2] + w[2]
        return np.sum(np.logaddexp(0, z) - p * z) + 0.5 * w[:2] @ w[:2]

    best = minimize(objective, np.zeros(3), tol=1e-12).x
    np.testing.assert_allclose(np.r_[model.coef_[0], model.intercept_], best, atol=1e-4)
