"""Networks side by side: their gradients are those of autograd, their steps those of torch's Adam."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from distillkit.base._training_rows import Run, TrainingRows, group_rows
from distillkit.budget import Budget
from distillkit.coresets.scores._ensemble import Ensemble, ProxyTrainingData, train_ensemble

TASKS = ["classification", "regression"]


def training_data_of(table, numbers, task):
    X, y = table if task == "classification" else numbers
    return ProxyTrainingData.of(TrainingRows(X, y, task, group_rows(y, len(X), task, Budget(1))))


def ensemble_for(training_data, members=2, hidden=7):
    shape = training_data.X.shape[1], training_data.targets.shape[1]
    rng = np.random.RandomState(0)
    return Ensemble(*shape, members=members, hidden=hidden, classify=training_data.classify, rng=rng)


def in_double_precision(ensemble):
    """Adam makes steps of one size from any gradient, rounding errors included."""
    for name in ("first", "first_bias", "second", "second_bias"):
        setattr(ensemble, name, getattr(ensemble, name).astype(np.float64))
    ensemble._moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in ensemble.weights]
    return ensemble


def torch_member(ensemble, member):
    """Return the weights of one member as parameters of torch: first, bias, second, bias."""
    hidden = ensemble.second.shape[1]
    own = slice(member * hidden, (member + 1) * hidden)
    parts = (ensemble.first[:, own], ensemble.first_bias[own], ensemble.second[member], ensemble.second_bias[member, 0])
    return [torch.tensor(part, requires_grad=True) for part in parts]


def torch_losses(weights, X, targets, classify):
    first, first_bias, second, second_bias = weights
    outputs = F.relu(X @ first + first_bias) @ second + second_bias
    if classify:
        return F.cross_entropy(outputs, targets, reduction="none")
    return 0.5 * (outputs - targets).square().sum(dim=1)


@pytest.mark.parametrize("task", TASKS)
def test_gradient_norms_are_those_of_autograd_over_all_weights(task, table, numbers):
    training_data = training_data_of(table, numbers, task)
    ensemble = ensemble_for(training_data)
    found = ensemble.gradient_norms(training_data.X, training_data.targets)
    X, targets = torch.tensor(training_data.X), torch.tensor(training_data.targets)
    for member in (0, 1):
        weights = torch_member(ensemble, member)
        for i in (0, 50, 199):
            loss = torch_losses(weights, X[i : i + 1], targets[i : i + 1], training_data.classify).sum()
            gradients = torch.autograd.grad(loss, weights)
            expected = torch.cat([gradient.flatten() for gradient in gradients]).norm()
            assert found[member, i] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_a_step_is_one_of_torchs_adam_for_each_member(task, table, numbers):
    training_data = training_data_of(table, numbers, task)
    training_data = ProxyTrainingData(
        training_data.X.astype(np.float64), training_data.targets.astype(np.float64), training_data.classify
    )
    ensemble = in_double_precision(ensemble_for(training_data))
    members = [torch_member(ensemble, member) for member in (0, 1)]
    optimizers = [torch.optim.Adam(weights, lr=0.01) for weights in members]
    for start in (0, 64, 128):
        batch = slice(start, start + 64)
        ensemble.train_step(training_data.X[batch], training_data.targets[batch], 0.01)
        for weights, optimizer in zip(members, optimizers, strict=True):
            optimizer.zero_grad()
            X, targets = torch.tensor(training_data.X[batch]), torch.tensor(training_data.targets[batch])
            torch_losses(weights, X, targets, training_data.classify).mean().backward()
            optimizer.step()
    for member in (0, 1):
        for found, expected in zip(torch_member(ensemble, member), members[member], strict=True):
            np.testing.assert_allclose(found.detach(), expected.detach(), atol=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_error_norms_follow_the_formula(task, table, numbers):
    training_data = training_data_of(table, numbers, task)
    ensemble = ensemble_for(training_data)
    found = ensemble.error_norms(training_data.X, training_data.targets)
    first, first_bias, second, second_bias = (weight.detach().numpy() for weight in torch_member(ensemble, 1))
    outputs = np.maximum(training_data.X @ first + first_bias, 0) @ second + second_bias
    if training_data.classify:
        odds = np.exp(outputs)
        outputs = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        found[1], np.sqrt(((outputs - training_data.targets) ** 2).sum(axis=1)), rtol=1e-4, atol=1e-6
    )


def test_members_do_not_touch_each_other(table, numbers):
    training_data = training_data_of(table, numbers, "classification")
    both = ensemble_for(training_data)
    alone = copy.deepcopy(both)
    alone.first[:, 7:] = 0  # the second member is another one now
    alone.second[1] = 1
    for ensemble in (both, alone):
        for _ in range(5):
            ensemble.train_step(training_data.X[:64], training_data.targets[:64], 0.01)
    np.testing.assert_array_equal(both.first[:, :7], alone.first[:, :7])
    np.testing.assert_array_equal(both.second[0], alone.second[0])


@pytest.mark.parametrize("task", TASKS)
def test_training_learns_counts_epochs_and_shows_every_row_once_in_each(task, table, numbers):
    training_data = training_data_of(table, numbers, task)
    run, seen = Run(random_state=0), []
    train_ensemble(
        training_data,
        run,
        members=2,
        hidden=8,
        epochs=6,
        batch_size=33,
        lr=0.02,
        on_batch=lambda rows, _: seen.append(rows),
    )
    n = len(training_data.X)
    assert run.n_iter == len(run.history) == 6
    assert run.history[-1]["error"] < 0.7 * run.history[0]["error"]
    np.testing.assert_array_equal(np.bincount(np.concatenate(seen)), np.full(n, 6))
    assert max(map(len, seen)) <= 33


def test_time_ends_training_after_a_whole_epoch(table, numbers):
    run = Run(max_seconds=1e-9, random_state=0)
    train_ensemble(
        training_data_of(table, numbers, "regression"), run, members=1, hidden=4, epochs=9, batch_size=64, lr=0.01
    )
    assert (run.n_iter, run.stopped_by) == (1, "max_seconds")
