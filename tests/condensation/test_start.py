from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import pairwise_distances_argmin

from distillkit.base import Run, TrainingRows
from distillkit.base._training_rows import group_rows
from distillkit.budget import Budget
from distillkit.condensation.problem._problem import CondensationProblem
from distillkit.condensation.problem._start import STARTS, start_rows
from distillkit.exceptions import DataError


def problem_of(X, y, budget, task):
    X = np.asarray(X)
    return CondensationProblem.of(
        TrainingRows(X, y, task, group_rows(y, len(X), task, Budget(budget))), torch.device("cpu")
    )


def starts(problem, init, seed=0):
    run = Run(random_state=seed)
    return [start_rows(init, problem, group, run) for group in problem.rows.groups]


def test_one_row_per_class_from_kmeans_or_mean_is_the_mean_of_the_class(images):
    X, y = images
    for init in ("kmeans", "mean"):
        for (rows, targets), label in zip(
            starts(problem_of(X, y, 1, "classification"), init), np.unique(y), strict=True
        ):
            np.testing.assert_allclose(rows, X[y == label].mean(axis=0, keepdims=True, dtype=np.float64), rtol=1e-12)
            assert targets is None


def test_kmeans_rows_are_the_means_of_the_rows_nearest_to_them(table):
    X, y = table
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    for (rows, _), label in zip(starts(problem_of(X, y, 4, "classification"), "kmeans"), np.unique(y), strict=True):
        members = X[y == label]
        labels = pairwise_distances_argmin(members, rows)
        for index in range(4):
            np.testing.assert_allclose(rows[index], members[labels == index].mean(axis=0), atol=1e-4)


def test_real_rows_are_different_rows_of_the_class(table):
    X, y = table
    for (rows, _), label in zip(starts(problem_of(X, y, 5, "classification"), "real"), np.unique(y), strict=True):
        picked = [int(np.flatnonzero(np.equal(X, row).all(axis=1))[0]) for row in rows]
        assert len(set(picked)) == 5
        assert set(y[picked]) == {label}


def test_means_of_equal_parts_keep_the_mean_of_the_class(table):
    X, y = table
    for (rows, _), label in zip(starts(problem_of(X, y, 5, "classification"), "mean"), np.unique(y), strict=True):
        np.testing.assert_allclose(rows.mean(axis=0), X[y == label].mean(axis=0))


def test_noise_has_the_spread_of_the_data(table):
    X, y = table
    rows = np.concatenate([rows for rows, _ in starts(problem_of(X, y, 30, "classification"), "noise")])
    scaled = (rows - X.mean(axis=0)) / X.std(axis=0)
    assert abs(scaled.mean()) < 0.2
    assert scaled.std() == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("init", STARTS)
def test_numbers_start_spread_over_the_range_of_the_target(numbers, init):
    X, y = numbers
    [(rows, targets)] = starts(problem_of(X, y, 8, "regression"), init)
    assert rows.shape == (8, 3)
    assert targets.min() >= y.min()
    assert targets.max() <= y.max()
    assert np.std(targets) > np.std(y) / 3


def test_the_target_counts_when_numbers_are_clustered():
    """Features that say nothing: rows differ by the target alone, and so do the clusters."""
    y = np.repeat([0.0, 10.0, 20.0], 10) + np.tile(np.linspace(0, 0.5, 10), 3)
    [(_, targets)] = starts(problem_of(np.ones((30, 2)), y, 3, "regression"), "kmeans")
    np.testing.assert_allclose(np.sort(targets), [0.25, 10.25, 20.25], atol=1e-3)


def test_scaling_there_and_back(table, images):
    for X, y in (table, images):
        problem = problem_of(X, y, 1, "classification")
        np.testing.assert_allclose(problem.in_units(problem.scaled(X)), X, rtol=1e-4, atol=1e-4)


def test_limits_are_of_each_column_of_a_table_and_of_all_pixels(table, images):
    X, y = table
    low, high = problem_of(X, y, 1, "classification").limits()
    np.testing.assert_allclose(high.numpy()[0], ((X - X.mean(axis=0)) / X.std(axis=0)).max(axis=0), rtol=1e-5)
    X, y = images
    low, high = problem_of(X, y, 1, "classification").limits()
    assert torch.unique(low).numel() == torch.unique(high).numel() == 1
    assert float(low.min()) == pytest.approx((X.min() - X.mean()) / X.std(), rel=1e-5)


def test_one_class_is_refused():
    with pytest.raises(DataError, match="one class only, 'a'"):
        problem_of(np.ones((3, 2)), np.array(["a"] * 3), 1, "classification")
