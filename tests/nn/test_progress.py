"""Schedules that end with the time."""

from __future__ import annotations

import itertools

import pytest
import torch

from distillkit.nn import NetworkClassifier, Recipe, class_loss, make_generator, make_network, train_network
from distillkit.nn.estimators import _estimator_base as base
from distillkit.nn.training._progress import Progress

STEPS = 100


def shares(times):
    """The share of the training before each of 100 steps that begin at these shares of the time, until time ends."""
    clock = iter(times)
    progress = Progress(lambda: next(clock))
    return [progress((step + 0.5) / STEPS) for step, time in enumerate(times) if time < 1]


def test_without_a_clock_steps_count():
    progress = Progress()
    assert [progress(share) for share in (0.1, 0.5, 0.9)] == [0.1, 0.5, 0.9]


@pytest.mark.parametrize("share", [0.1, 0.6, 0.97])
def test_a_training_that_ends_in_time_goes_by_its_steps(share):
    """Steps of unequal times, the first of them slow."""
    wobble = 0.01 * torch.rand(STEPS, generator=torch.Generator().manual_seed(0))
    times = [min(share * (step + 3) / STEPS + float(wobble[step]), 0.999) for step in range(STEPS)]
    assert shares(times) == [(step + 0.5) / STEPS for step in range(STEPS)]


@pytest.mark.parametrize("pace", [1.2, 2, 5, 20])
def test_a_training_too_slow_ends_its_schedule_with_the_time(pace):
    found = shares([pace * step / STEPS for step in range(STEPS)])
    n_steps = len(found)
    assert n_steps == -(-STEPS // pace) < STEPS
    assert found[0] == 0.5 / STEPS
    assert found == sorted(found)
    assert found[-1] <= 1
    assert found[-1] > 1 - 2.5 / n_steps  # the last step is a step from the end
    before = sum(pace * step / STEPS < 0.5 for step in range(STEPS))
    assert found[:before] == [(step + 0.5) / STEPS for step in range(before)]
    gaps = [after - share for share, after in itertools.pairwise(found)]
    assert max(gaps) < 0.02 + 2.5 / n_steps  # no leap where the clock takes over


def test_a_training_that_slows_down_late_ends_its_schedule_too():
    times = [0.7 * step / 80 if step < 80 else 0.7 + 0.3 * (step - 80) / 5 for step in range(STEPS)]
    found = shares(times)
    assert found[:80] == [(step + 0.5) / STEPS for step in range(80)]
    assert len(found) == 85
    assert 0.9 < found[-1] <= 1


def test_time_that_is_over_at_the_first_step():
    assert Progress(lambda: 3.0)(0.01) == 0.01


def test_the_rate_falls_to_nought_as_the_time_ends():
    X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    y = (X[:, 0] > 0).long()
    steps, rates = [], []

    def loss(outputs, rows):
        rates.append(optimizers[0].param_groups[0]["lr"])
        return class_loss(y)(outputs, rows)

    optimizers = []

    class Watched(Recipe):
        def make_optimizer(self, network):
            optimizers.append(super().make_optimizer(network))
            return optimizers[0]

    def should_stop():  # asked after each step
        steps.append(1)
        return len(steps) == 40

    train_network(
        make_network("mlp", (4,), 2, seed=0),
        X,
        loss,
        Watched(epochs=100, batch_size=20, optimizer="sgd", lr=1.0, schedule="onecycle", precision="float32"),
        generator=make_generator(0),
        should_stop=should_stop,
        elapsed=lambda: len(steps) / 40,
    )
    assert len(rates) == 40  # of 200
    assert max(rates) > 0.95
    assert rates[-1] < 0.1


def test_an_estimator_whose_time_is_short_ends_at_a_low_rate(monkeypatch):
    """A clock that goes on by a hundredth of the time whenever it is read."""
    ticks = []

    class Clock:
        @staticmethod
        def perf_counter():
            ticks.append(1)
            return len(ticks) / 100

    monkeypatch.setattr(base, "time", Clock)
    seen = []
    rate = Recipe.rate
    monkeypatch.setattr(Recipe, "rate", lambda self, progress: seen.append(progress) or rate(self, progress))
    X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0)).numpy()
    network = NetworkClassifier(
        epochs=1000, batch_size=20, schedule="cosine", max_seconds=1.0, random_state=0, device="cpu"
    )
    network.fit(X, X[:, 0] > 0)
    assert network.stopped_by_ == "max_seconds"
    assert 20 < len(seen) < 60
    assert 0.9 < seen[-1] <= 1


def test_a_limit_far_away_changes_nothing():
    X = torch.randn(60, 4, generator=torch.Generator().manual_seed(0)).numpy()
    fitted = [
        NetworkClassifier(epochs=3, random_state=0, device="cpu", max_seconds=limit).fit(X, X[:, 0] > 0)
        for limit in (None, 1000.0)
    ]
    assert all(network.stopped_by_ == "max_iter" for network in fitted)
    assert (fitted[0].predict_proba(X) == fitted[1].predict_proba(X)).all()
