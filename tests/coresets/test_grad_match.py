"""GradMatch: matching pursuit that only gets better, with the weights that SciPy's NNLS gives on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from distillkit.base._training_rows import Run, TrainingRows, group_rows
from distillkit.budget import Budget
from distillkit.coresets import GradMatchCoreset, RandomSubset
from distillkit.coresets.gradients._grad_match import match_sum, solve_weights
from distillkit.coresets.shared._proxy import LastLayer, last_layer


@pytest.fixture
def gradients():
    rng = np.random.default_rng(0)
    return LastLayer(rng.normal(size=(60, 3)), rng.normal(size=(60, 9)))


def atoms(gradients):
    """Gradients written out, with the column that keeps the sum of the weights."""
    ones = np.column_stack([gradients.inputs, np.ones(len(gradients.inputs))])
    written = np.einsum("ia,ij->iaj", gradients.residual, ones).reshape(len(ones), -1)
    return np.column_stack([written, np.full(len(written), np.sqrt(np.square(written).sum(axis=1).mean()))])


def scipy_weights(rows, target, penalty):
    """Solve the penalised problem as it is written, by NNLS alone."""
    stacked = np.vstack([rows.T, np.sqrt(penalty) * np.eye(len(rows))])
    return nnls(stacked, np.concatenate([target, np.zeros(len(rows))]))[0]


@pytest.mark.parametrize("penalty", [0.0, 0.1, 3.0])
@pytest.mark.parametrize("size", [1, 5, 25])
def test_weights_are_those_of_scipy_on_the_picked_rows(gradients, size, penalty):
    found = match_sum(gradients, size, penalty)
    rows = atoms(gradients)
    unit = np.square(rows).sum(axis=1).mean()
    expected = scipy_weights(rows[found.support], rows.sum(axis=0), penalty * unit)
    np.testing.assert_allclose(found.weight, expected, rtol=1e-6)
    assert len(found.support) == size
    assert found.weight.min() > 0


def test_each_pick_is_the_atom_most_aligned_with_what_is_left(gradients):
    rows = atoms(gradients)
    total = rows.sum(axis=0)
    lengths = np.linalg.norm(rows, axis=1)
    picks, left = [], total
    for _ in range(6):
        score = rows @ left / lengths
        score[picks] = -np.inf
        picks.append(int(np.argmax(score)))
        left = total - scipy_weights(rows[picks], total, 0.0) @ rows[picks]
    assert match_sum(gradients, 6, 0.0).support.tolist() == picks


def test_the_error_only_falls_and_is_the_error(gradients):
    found = match_sum(gradients, 25, 0.0)
    assert (np.diff(found.errors) < 0).all()
    rows = atoms(gradients)
    left = found.weight @ rows[found.support] - rows.sum(axis=0)
    assert found.errors[-1] == pytest.approx(np.linalg.norm(left) / np.linalg.norm(rows.sum(axis=0)), rel=1e-6)
    assert found.errors[0] == 1


def test_with_rows_enough_the_match_is_exact_and_the_rest_is_fill():
    rng = np.random.default_rng(0)
    few = LastLayer(rng.normal(size=(80, 1)), rng.normal(size=(80, 2)))  # atoms of 4 numbers
    found = match_sum(few, 20, 0.0)
    assert found.errors[-1] < 1e-6
    assert len(found.support) <= 5
    assert len(found.fill) == 20 - len(found.support)
    assert len(np.union1d(found.support, found.fill)) == 20


@pytest.mark.parametrize("seed", range(5))
def test_solved_weights_are_the_minimum_over_positive_ones(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(8, 20))
    target = rng.normal(size=20)
    found = solve_weights(rows @ rows.T, rows @ target)
    np.testing.assert_allclose(found, nnls(rows.T, target)[0], atol=1e-7)
    slope = rows @ (found @ rows - target)
    assert (slope > -1e-6).all()  # Karush, Kuhn and Tucker
    np.testing.assert_allclose(slope[found > 0], 0, atol=1e-6)


def test_repeated_rows_have_weights_too():
    rows = np.ones((4, 3))
    found = solve_weights(rows @ rows.T, rows @ np.full(3, 10.0))
    assert found.sum() == pytest.approx(10)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_gradient_is_matched_better_than_by_random_rows(task, table, numbers):
    X, y = table if task == "classification" else numbers
    rows = TrainingRows(X, y, task, group_rows(y, len(X), task, Budget(1)))
    gradients = last_layer(None, rows, Run())
    total = gradients.weighted_sum(np.ones(len(X)))

    def error(model):
        picked = gradients.take(model.sample_indices_).weighted_sum(model.sample_weight_)
        return np.linalg.norm(picked - total)

    found = error(GradMatchCoreset(budget=0.2, penalty=0).fit(X, y))
    assert found < 0.5 * np.median([error(RandomSubset(budget=0.2, random_state=seed).fit(X, y)) for seed in range(9)])


def test_filled_rows_count_themselves_alone():
    X, y = np.full((40, 3), 0.1), np.repeat([0, 1], 20)  # no gradients at all but the column of the sum
    model = GradMatchCoreset(budget=5, penalty=0.0).fit(X, y)
    assert [step["matched"] for step in model.history_] == [1, 1]
    assert sorted(model.sample_weight_.tolist()) == [1.0] * 8 + [16.0] * 2


def test_out_of_time_one_row_is_matched_and_the_rest_filled(table):
    model = GradMatchCoreset(budget=4, max_seconds=1e-9).fit(*table)
    assert model.distilled_.provenance["stopped_by"] == "max_seconds"
    assert [step["matched"] for step in model.history_] == [1, 1, 1]
    assert len(model.X_distilled_) == 12
