"""Weights of training rows in the condensers: rows are drawn, scaled, averaged and regressed on by them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from distillkit.base import BaseDistiller, Group, Outcome, Run, TrainingRows
from distillkit.condensation import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    KernelDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.condensation.loop._checkpoint import data_digest
from distillkit.condensation.loop._validation import hold_out
from distillkit.condensation.problem._group_rows import GroupRows
from distillkit.condensation.problem._problem import CondensationProblem
from distillkit.condensation.problem._real_rows import RealRows
from distillkit.condensation.problem._start import start_rows
from distillkit.exceptions import DataError
from distillkit.utils._weighted_draw import weighted_draw

CPU = torch.device("cpu")


def rows_of(shape=(3,), task="classification", *, repeat=False):
    rng = np.random.RandomState(0)
    X, weight, y = rng.normal(3, 2, size=(40, *shape)), rng.randint(1, 5, size=40), np.arange(40) % 2
    if task == "regression":
        y = X.reshape(40, -1)[:, 0] + 0.25
    if repeat:
        X, y, weight = np.repeat(X, weight, axis=0), np.repeat(y, weight), None
    labels = [0, 1] if task == "classification" else [None]
    groups = tuple(
        Group(label, np.arange(len(X)) if label is None else np.flatnonzero(y == label), 2) for label in labels
    )
    return TrainingRows(X, y, task, groups, None if weight is None else weight.astype(float))


@pytest.mark.parametrize("size", [7, 40, 300])
def test_a_row_is_drawn_in_proportion_to_its_weight(size):
    weight, rng = np.random.RandomState(0).uniform(0.1, 5, size=40), np.random.default_rng(0)
    expected = size * weight / weight.sum()
    total = np.zeros(40)
    for _ in range(400):
        counts = np.bincount(weighted_draw(weight, size, rng), minlength=40)
        assert (np.floor(expected - 1e-9) <= counts).all()
        assert (counts <= np.ceil(expected + 1e-9)).all()
        assert counts.sum() == size
        total += counts
    np.testing.assert_allclose(total / 400, expected, atol=0.11)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("shape", [(3,), (2, 8)])
def test_scaling_is_that_of_repeated_rows(shape, task):
    weighted = CondensationProblem.of(rows_of(shape, task), CPU)
    copies = CondensationProblem.of(rows_of(shape, task, repeat=True), CPU)
    np.testing.assert_allclose(weighted.scaling.mean, copies.scaling.mean)
    np.testing.assert_allclose(weighted.scaling.scale, copies.scaling.scale)
    assert (weighted.y_mean, weighted.y_scale) == pytest.approx((copies.y_mean, copies.y_scale))


@pytest.mark.parametrize("how", ["random", "clusters"])
def test_batches_of_each_group_have_the_weighted_mean(how):
    rows = rows_of()
    problem = CondensationProblem.of(rows, CPU)
    real, rng = GroupRows(problem, how=how, size=8), np.random.default_rng(0)
    means = np.mean([[X.mean(dim=0).numpy() for X, _ in real.draw(8, rng)] for _ in range(400)], axis=0)
    for group, mean in zip(rows.groups, means, strict=True):
        scaled = problem.scaled(rows.X[group.rows]).numpy()
        np.testing.assert_allclose(mean, np.average(scaled, axis=0, weights=rows.weight[group.rows]), atol=0.05)


def test_batches_of_all_rows_and_of_held_out_rows_have_the_weighted_mean():
    rows = rows_of()
    problem = CondensationProblem.of(rows, CPU)
    expected = np.average(problem.scaled(rows.X).numpy(), axis=0, weights=rows.weight)
    shares = np.average(rows.y, weights=rows.weight)
    real, rng = RealRows(problem), np.random.default_rng(0)
    drawn = [real.draw(16, rng) for _ in range(400)]
    held = [problem.batch(rows, seed) for seed in range(400)]
    for batches in (drawn, held):
        np.testing.assert_allclose(np.mean([X.mean(dim=0).numpy() for X, _ in batches], axis=0), expected, atol=0.05)
        assert np.mean([y.double().mean() for _, y in batches]) == pytest.approx(shares, abs=0.02)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_first_rows_are_those_of_repeated_rows(task):
    weighted, copies = rows_of(task=task), rows_of(task=task, repeat=True)
    for number, group in enumerate(weighted.groups):
        X, y = start_rows("kmeans", CondensationProblem.of(weighted, CPU), Group(None, group.rows, 1), Run())
        other = Group(None, copies.groups[number].rows, 1)
        X_copies, y_copies = start_rows("kmeans", CondensationProblem.of(copies, CPU), other, Run())
        np.testing.assert_allclose(X, X_copies, rtol=1e-5)
        if task == "regression":
            np.testing.assert_allclose(y, y_copies, rtol=1e-5)


def test_held_out_rows_keep_their_weights():
    rows = rows_of()
    training, held_out = hold_out(rows, 0.25, 0)
    both = np.concatenate([training.weight, held_out.weight])
    assert sorted(both) == sorted(rows.weight)
    for part in (training, held_out):
        position = [int(np.flatnonzero((row == rows.X).all(axis=1))[0]) for row in part.X]
        np.testing.assert_array_equal(part.weight, rows.weight[position])


def test_checkpoints_tell_weights_apart():
    rows = rows_of()
    digests = {data_digest(rows)}
    digests.add(data_digest(TrainingRows(rows.X, rows.y, rows.task, rows.groups)))
    digests.add(data_digest(TrainingRows(rows.X, rows.y, rows.task, rows.groups, 2 * rows.weight)))
    assert len(digests) == 3


@pytest.mark.parametrize(("task", "budget"), [("classification", 3), ("regression", 4)])
def test_the_closed_form_has_the_model_of_repeated_rows(task, budget):
    weighted, copies = rows_of(task=task), rows_of(task=task, repeat=True)
    small = KernelDistiller(budget, feature_map="linear", random_state=0).fit(weighted.X, weighted.y, weighted.weight)
    targets, targets_of_copies = small.y_distilled_, copies.y
    if task == "classification":
        targets, targets_of_copies = np.eye(2)[targets], np.eye(2)[targets_of_copies]
    ridge = Ridge(1.0).fit(small.X_distilled_, targets, sample_weight=small.sample_weight_)
    on_copies = Ridge(1.0).fit(copies.X, targets_of_copies)
    np.testing.assert_allclose(ridge.coef_, on_copies.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ridge.intercept_, on_copies.intercept_, rtol=1e-6, atol=1e-9)
    assert small.sample_weight_.sum() == pytest.approx(weighted.weight.sum())


SHORT = {"budget": 1, "width": 4, "hidden": (8,), "device": "cpu", "random_state": 0, "init": "real"}


@pytest.mark.parametrize(
    "distiller",
    [
        GradientMatchingDistiller(**SHORT, max_iter=4, train_on="real"),
        DistributionMatchingDistiller(**SHORT, max_iter=4),
        TrajectoryMatchingDistiller(**SHORT, max_iter=4, n_experts=1, expert_epochs=2, student_steps=2),
        KernelDistiller(**SHORT, max_iter=4, pool_size=2),
        BilevelDistiller(**SHORT, max_iter=4, inner_steps=2),
    ],
)
def test_every_condenser_uses_the_weights(distiller):
    rows = rows_of()
    heavy = np.where(np.arange(40) < 20, 100.0, 1.0)
    plain = distiller.fit(rows.X, rows.y).X_distilled_
    weighted = distiller.fit(rows.X, rows.y, heavy).X_distilled_
    assert not np.allclose(plain, weighted)
    np.testing.assert_allclose(distiller.sample_weight_, [1010, 1010])


class FirstRows(BaseDistiller):
    def _distill(self, rows, run):
        return Outcome(indices=np.concatenate([group.rows[: group.size] for group in rows.groups]))


def test_a_start_that_takes_no_weights_is_refused():
    rows = rows_of()
    distiller = DistributionMatchingDistiller(**{**SHORT, "init": FirstRows()}, max_iter=2)
    with pytest.raises(DataError, match="init=FirstRows cannot use the weights"):
        distiller.fit(rows.X, rows.y, rows.weight)
