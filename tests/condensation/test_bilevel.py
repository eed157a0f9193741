from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from distillkit.base import Run, TrainingRows
from distillkit.base._training_rows import group_rows
from distillkit.budget import Budget
from distillkit.condensation import BilevelDistiller
from distillkit.condensation.bilevel._loop import BilevelLoop, BilevelSettings
from distillkit.condensation.loop._loop import LoopContext
from distillkit.condensation.loop._loss_monitor import LossMonitor
from distillkit.condensation.loop._synthetic_rows import Extra, SyntheticRows
from distillkit.condensation.loop._validation import hold_out
from distillkit.condensation.problem._labels import first_parts
from distillkit.condensation.problem._problem import CondensationProblem
from distillkit.condensation.problem._real_rows import RealRows
from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.nn import make_network, seeded


def bilevel(budget=1, **options):
    settings = {"max_iter": 6, "inner_steps": 4, "width": 4, "hidden": (16,), "random_state": 0, "record_every": 2}
    settings["validation_every"] = options.get("record_every", 2)
    return BilevelDistiller(budget, **{**settings, "device": "cpu", **options})


def rows_of(X, y, budget, task="classification"):
    return TrainingRows(X, y, task, group_rows(y, len(X), task, Budget(budget)))


def test_rows_come_back_in_the_shape_units_and_labels_of_the_data(images):
    X, y = images
    fitted = bilevel(2).fit(X, y)
    assert fitted.X_distilled_.shape == (4, 1, 8, 8)
    assert fitted.X_distilled_.dtype == np.float32
    assert fitted.y_distilled_.tolist() == [3, 3, 7, 7]
    assert fitted.sample_weight_.tolist() == [15.0] * 4
    assert 50 < fitted.X_distilled_.mean() < 200


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_rows(images, table, numbers):
    for (X, y), options in ((images, {}), (table, {"window": 2, "random_end": True}), (numbers, {"lr": 0.1})):
        first, again, other = (bilevel(2, random_state=seed, **options).fit(X, y) for seed in (0, 0, 1))
        assert first.X_distilled_.tobytes() == again.X_distilled_.tobytes()
        assert first.network_lr_ == again.network_lr_
        assert not np.array_equal(first.X_distilled_, other.X_distilled_)


def test_the_users_own_random_numbers_stay_as_they_were(table):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    bilevel().fit(*table)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("window", [None, 3])
def test_the_meta_loss_and_the_validation_loss_fall_from_noise(table, window):
    options = {"init": "noise", "lr": 0.1, "network_lr": 0.2, "inner_steps": 8, "window": window, "patience": None}
    fitted = bilevel(max_iter=60, record_every=10, **options).fit(*table)
    first, last = fitted.history_[0], fitted.history_[-1]
    assert last["loss"] < 0.75 * first["loss"]
    assert last["validation_loss"] < 0.85 * first["validation_loss"]
    assert last["validation"] > 0.5


def test_the_rows_kept_are_those_of_the_lowest_validation_loss(table):
    """With a rate that is far too large, the fit returns the rows of its best update."""
    settings = {"lr": 3.0, "network_lr": 0.3, "record_every": 1, "patience": None}
    fitted = bilevel(max_iter=12, **settings).fit(*table)
    best = min(fitted.history_, key=lambda record: record["validation_loss"])["iteration"]
    assert best < 12
    np.testing.assert_array_equal(bilevel(max_iter=best, **settings).fit(*table).X_distilled_, fitted.X_distilled_)


def test_a_start_that_nothing_beats_is_returned(table):
    X, y = table
    fitted = bilevel(lr=50.0, network_lr=0.3, inner_steps=8, rate_lr=None, max_iter=3, validation_fraction=None).fit(
        X, y
    )
    means = np.stack([X[y == label].mean(axis=0) for label in "abc"])
    np.testing.assert_allclose(fitted.X_distilled_, means, rtol=1e-4)


def test_history_can_be_written_as_json_and_tells_where_it_is(table):
    fitted = bilevel(max_iter=5).fit(*table)
    assert [record["iteration"] for record in fitted.history_] == [2, 4, 5]
    names = {"iteration", "loss", "validation_loss", "validation", "network_lr", "seconds"}
    assert set(fitted.history_[0]) == names
    assert json.loads(json.dumps(fitted.history_)) == fitted.history_
    assert fitted.n_iter_ == 5
    assert fitted.distilled_.provenance["stopped_by"] == "max_iter"


def test_the_inner_rate_is_learned_unless_it_is_to_stay(table):
    options = {"network_lr": 1e-3, "max_iter": 30, "patience": None, "lr": 1e-4}
    learned = bilevel(rate_lr=0.1, **options).fit(*table)
    assert learned.network_lr_ > 5e-3  # four such small steps learn nothing, and larger ones do
    assert learned.history_[-1]["network_lr"] > learned.history_[0]["network_lr"]
    assert bilevel(rate_lr=None, **options).fit(*table).network_lr_ == pytest.approx(1e-3)


def test_learned_labels(table, numbers):
    X, y = table
    fitted = bilevel(2, learn_labels=True, label_lr=0.2, max_iter=20).fit(X, y)
    assert fitted.y_distilled_.tolist() == ["a", "a", "b", "b", "c", "c"]
    np.testing.assert_allclose(fitted.soft_labels_.sum(axis=1), 1)
    assert np.abs(fitted.soft_labels_.max(axis=1) - 0.9).max() > 0.01
    X, y = numbers
    start, learned, fixed = (
        bilevel(8, learn_labels=setting, max_iter=steps, network_lr=0.02, inner_steps=10).fit(X, y)
        for setting, steps in ((False, 1), ("auto", 40), (False, 40))
    )
    assert not np.allclose(learned.y_distilled_, start.y_distilled_, atol=0.05 * y.std())
    np.testing.assert_array_equal(fixed.y_distilled_, start.y_distilled_)
    assert Ridge(1e-3).fit(learned.X_distilled_, learned.y_distilled_).score(X, y) > 0.8
    assert learned.history_[-1]["validation"] > 0.8


def test_the_gradients_of_the_fit_against_finite_differences(table):
    """In float64, with inner loop, learned labels and rate, and the meta-loss on real rows."""
    X, y = table
    problem = CondensationProblem.of(rows_of(X, y, 1), torch.device("cpu"))
    parts = [
        (rows.double(), t.double()) for rows, t in first_parts("real", problem, Run(random_state=0), learn_labels=True)
    ]
    extra = Extra(torch.tensor(math.log(0.2), dtype=torch.float64), 0.01)
    state = SyntheticRows(parts, lr=0.1, target_lr=0.1, extra=extra)
    settings = BilevelSettings(double_mlp, steps=5, window=5, random_end=False, real_batch=1000)
    context = LoopContext(problem, state, Run(random_state=0), LossMonitor(1, 0.0, None), max_iter=1)
    fit = BilevelLoop(context, settings)
    fit.real = DoubleRows(problem)
    leaves = state.leaves
    gradients = torch.autograd.grad(fit.meta_loss(0, 5), leaves)
    for leaf, gradient in zip(leaves, gradients, strict=True):
        for place in range(min(5, leaf.numel())):
            sides = []
            for sign in (1, -2):
                leaf.data.view(-1)[place] += sign * 1e-6
                sides.append(fit.meta_loss(0, 5).item())
            leaf.data.view(-1)[place] += 1e-6
            assert gradient.reshape(-1)[place].item() == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-4, abs=1e-9)


def double_mlp(seed):
    with seeded(seed):
        return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)).double()


class DoubleRows(RealRows):
    def take(self, picks):
        X, targets = super().take(picks)
        return X.double(), targets


def test_seconds_end_the_fit(images):
    started = time.perf_counter()
    fitted = bilevel(max_iter=1_000_000, max_seconds=0.5, patience=None).fit(*images)
    assert time.perf_counter() - started < 20
    assert fitted.distilled_.provenance["stopped_by"] == "max_seconds"
    assert bilevel(max_seconds=1e-9).fit(*images).n_iter_ == 1


def test_patience_ends_the_fit(table):
    fitted = bilevel(max_iter=500, lr=1e-9, rate_lr=None, patience=6).fit(*table)
    assert fitted.distilled_.provenance["stopped_by"] == "converged"
    assert fitted.n_iter_ == 6


@pytest.mark.parametrize("options", [{"lr": 1e30, "clip_rms": None}, {"network_lr": 1e30, "rate_lr": None}])
def test_a_loss_that_is_not_finite_keeps_the_rows_before_it(table, options):
    with pytest.warns(
        DistillkitWarning, match=r"at iteration \d+ of bilevel distillation: the rows of iteration \d+ are"
    ):
        fitted = bilevel(max_iter=50, record_every=1, inner_steps=8, **options).fit(*table)
    assert np.isfinite(fitted.X_distilled_).all()
    assert fitted.distilled_.provenance["stopped_by"] == "not_finite"
    assert fitted.n_iter_ < 50


def test_a_class_with_one_row_and_a_batch_larger_than_the_data(table):
    X, y = table
    keep = np.r_[0, np.flatnonzero(y != "a")]
    fitted = bilevel({"a": 1, "b": 2, "c": 3}, real_batch=10_000).fit(X[keep], y[keep])
    assert fitted.y_distilled_.tolist() == ["a", "b", "b", "c", "c", "c"]
    assert fitted.sample_weight_.tolist() == [1, 15, 15, 10, 10, 10]


def test_batches_are_drawn_without_replacement_and_with_their_own_targets():
    X, y = np.arange(44.0)[:, None], np.repeat([0, 1, 2], [30, 10, 4])
    problem = CondensationProblem.of(rows_of(X, y, {0: 1, 1: 8, 2: 4}), torch.device("cpu"))
    real = RealRows(problem)
    drawn = problem.in_units(real.draw(1000, np.random.default_rng(0))[0]).ravel().round()
    assert sorted(drawn) == list(range(44))
    few, targets = real.draw(20, np.random.default_rng(0))
    places = problem.in_units(few).ravel().round().astype(int)
    assert len(set(places)) == 20
    assert targets.tolist() == y[places].tolist()


def test_where_classes_are_too_small_all_rows_validate():
    X, y = np.arange(6.0)[:, None], np.repeat([0, 1], 3)
    rows = rows_of(X, y, 3)
    training_rows, held = hold_out(rows, 0.5, 0, or_all=True)
    assert training_rows is rows
    assert held is rows
    fitted = bilevel(3, max_iter=2, validation_every=1).fit(X, y)
    assert all(math.isfinite(record["validation_loss"]) for record in fitted.history_)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (DecisionTreeClassifier(), "DecisionTreeClassifier"),
        (RandomForestClassifier, "RandomForestClassifier"),
        (LogisticRegression(), "LogisticRegression"),
        ("forest", "forest"),
        ("knn", "knn"),
    ],
)
def test_models_without_gradients_are_refused_with_the_reason_and_another_way(table, network, name):
    with pytest.raises(DataError, match=f"network='{name}' .* no gradient reaches the rows; .*KMeansCoreset"):
        bilevel(network=network).fit(*table)


def test_networks_through_whose_training_nothing_flows_are_refused(table):
    class Steps(nn.Module):
        def __init__(self, shape, n_outputs):
            super().__init__()
            self.head = nn.Linear(shape[0], n_outputs)

        def forward(self, x):
            return self.head(x).sign().detach()

    with pytest.raises(DataError, match="cannot be differentiated through its training"):
        bilevel(network=Steps).fit(*table)
    with pytest.raises(DataError, match="batch norm"):
        bilevel(network=lambda shape, k: nn.Sequential(nn.BatchNorm1d(shape[0]), nn.Linear(5, k))).fit(*table)
    with pytest.raises(DataError, match="network=7 is no network"):
        bilevel(network=7).fit(*table)
    with pytest.raises(DataError, match="network='convnet' takes images"):
        bilevel(network="convnet").fit(*table)
    with pytest.raises(DataError, match="one class only"):
        bilevel().fit(table[0], np.zeros(90, dtype=int))


def test_a_linear_network_a_module_and_one_with_dropout(table, images):
    assert bilevel(hidden=()).fit(*table).X_distilled_.shape == (3, 5)
    with seeded(0):
        module = make_network("mlp", (5,), 3, seed=0, hidden=(4,))
    before = [weight.clone() for weight in module.parameters()]
    assert bilevel(network=module).fit(*table).X_distilled_.shape == (3, 5)
    assert all(torch.equal(one, other) for one, other in zip(before, module.parameters(), strict=True))

    def dropping(shape, n_outputs):
        return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), 8), nn.Dropout(0.5), nn.Linear(8, n_outputs))

    first, again = (bilevel(network=dropping).fit(*images).X_distilled_ for _ in range(2))
    assert first.tobytes() == again.tobytes()


def test_series_and_models_that_learn_from_the_rows(images, table):
    X, y = images
    assert bilevel(2).fit(X.reshape(60, 2, 32), y).X_distilled_.shape == (4, 2, 32)
    X, y = table
    scale = X.std(axis=0)
    rows, labels = bilevel(max_iter=20).fit_resample(X, y)
    assert LogisticRegression(max_iter=1000).fit(rows / scale, labels).score(X / scale, y) > 0.85


@pytest.mark.parametrize(("name", "value"), [("lr", 0), ("window", 0), ("validation_fraction", 1.0), ("norm", "batch")])
def test_settings_that_cannot_be(table, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        bilevel(**{name: value}).fit(*table)
