"""Checks of the weights of training rows, for distillers whose `fit` takes `sample_weight`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from distillkit.testing._problem import Scope, expect, expect_equal, fresh, raises

__all__ = ["CHECKS"]


def check_weight_sum(estimator: Any, scope: Scope) -> None:
    """Weights of the distilled rows sum to those of the training rows, for each class."""
    if not has_fit_parameter(estimator, "sample_weight"):
        return
    for task in scope.tasks:
        problem = scope.problem(task)
        weight = np.arange(len(problem.X)) / 8 + 0.5
        distiller = fresh(estimator).fit(problem.X, problem.y, sample_weight=weight)
        distilled = distiller.sample_weight_
        expect((np.isfinite(distilled) & (distilled > 0)).all(), "sample_weight_ must be positive and finite")
        expect(
            np.isclose(distilled.sum(), weight.sum(), rtol=1e-9),
            f"sample_weight_ sums to {distilled.sum()}, not to {weight.sum()}, the sum of the weights of the rows",
        )
        for label in np.unique(problem.y) if task == "classification" else ():
            found, expected = distilled[distiller.y_distilled_ == label].sum(), weight[problem.y == label].sum()
            expect(np.isclose(found, expected), f"class {label}: sample_weight_ sums to {found}, not to {expected}")


def check_zero_weights(estimator: Any, scope: Scope) -> None:
    """Rows of weight zero are absent: the result is that of the other rows, bit for bit."""
    if not has_fit_parameter(estimator, "sample_weight"):
        return
    problem = scope.problem()
    weight = np.where(np.arange(len(problem.X)) % 5 == 0, 0.0, 1.5)
    kept = np.flatnonzero(weight)
    y = None if problem.y is None else problem.y[kept]
    expected = fresh(estimator).fit(problem.X[kept], y, sample_weight=weight[kept])
    distiller = fresh(estimator).fit(problem.X, problem.y, sample_weight=weight)
    for name in ("X_distilled_", "y_distilled_", "sample_weight_"):
        expect_equal(getattr(distiller, name), getattr(expected, name), f"{name} with rows of weight zero")
    if hasattr(expected, "sample_indices_"):
        expect_equal(
            distiller.sample_indices_, kept[expected.sample_indices_], "sample_indices_ must be positions in X"
        )


def check_weight_scale(estimator: Any, scope: Scope) -> None:
    """Twice the weights select the same rows, with twice the weights."""
    if not has_fit_parameter(estimator, "sample_weight"):
        return
    problem = scope.problem()
    weight = np.arange(len(problem.X)) % 4 + 1.0
    single = fresh(estimator).fit(problem.X, problem.y, sample_weight=weight)
    double = fresh(estimator).fit(problem.X, problem.y, sample_weight=2 * weight)
    if hasattr(single, "sample_indices_"):
        expect_equal(single.sample_indices_, double.sample_indices_, "sample_indices_ with twice the weights")
    expect(
        np.allclose(2 * single.sample_weight_, double.sample_weight_),
        "twice the weights must give twice the sample_weight_",
    )


def check_weight_errors(estimator: Any, scope: Scope) -> None:
    """Weights that are negative, NaN, all zero or too few raise an error that names them."""
    if not has_fit_parameter(estimator, "sample_weight"):
        return
    problem = scope.problem()
    ones = np.ones(len(problem.X))
    cases = {
        "negative weights": -ones,
        "weights of zero alone": 0 * ones,
        "a weight of NaN": np.where(np.arange(len(ones)) == 1, np.nan, 1),
        "too few weights": ones[1:],
    }
    for what, weight in cases.items():
        call = partial(fresh(estimator).fit, problem.X, problem.y, sample_weight=weight)
        raises(call, "sample_weight", what=what)


CHECKS = (check_weight_sum, check_zero_weights, check_weight_scale, check_weight_errors)
