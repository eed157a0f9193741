from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from torch import nn

from distillkit.base import TrainingRows
from distillkit.base._training_rows import group_rows
from distillkit.budget import Budget
from distillkit.condensation import DistributionMatchingDistiller, GradientMatchingDistiller
from distillkit.condensation.distribution._bins import target_bins
from distillkit.condensation.distribution._comparisons import DISTRIBUTION_LOSSES
from distillkit.exceptions import DataError, DistillkitWarning


def matching(budget=1, **options):
    settings = {"max_iter": 4, "width": 8, "hidden": (16,), "random_state": 0, "record_every": 2, "device": "cpu"}
    return DistributionMatchingDistiller(budget, **{**settings, **options})


def losses(fitted):
    return [record["loss"] for record in fitted.history_]


class Mean(nn.Module):
    """A network whose embedding is the row itself."""

    def __init__(self, shape, n_outputs):
        super().__init__()
        self.head = nn.Linear(int(np.prod(shape)), n_outputs)

    def embed(self, x):
        return x.flatten(1)

    def forward(self, x):
        return self.head(self.embed(x))


@pytest.mark.parametrize("loss", DISTRIBUTION_LOSSES)
@pytest.mark.parametrize("data", ["images", "table", "numbers"])
def test_every_loss_on_every_kind_of_rows(loss, data, request):
    X, y = request.getfixturevalue(data)
    first, again, other = (
        matching(3, loss=loss, max_iter=2, record_every=1, random_state=seed).fit(X, y) for seed in (0, 0, 1)
    )
    assert first.X_distilled_.shape[1:] == X.shape[1:]
    assert np.isfinite(first.X_distilled_).all()
    assert first.X_distilled_.tobytes() == again.X_distilled_.tobytes()
    assert losses(first) == losses(again) != losses(other)
    assert first.sample_weight_.sum() == pytest.approx(len(X))


@pytest.mark.parametrize("loss", DISTRIBUTION_LOSSES)
def test_the_loss_falls_from_noise(table, loss):
    fitted = matching(2, loss=loss, init="noise", max_iter=20, record_every=5, lr=0.3, average=0).fit(*table)
    assert losses(fitted)[-1] < 0.5 * losses(fitted)[0]


def test_where_the_embedding_is_the_row_the_class_means_are_the_answer(table):
    X, y = table
    fitted = matching(network=Mean, init="noise", max_iter=300, lr=0.05, average=0.9, patience=None).fit(X, y)
    means = np.stack([X[y == label].mean(axis=0) for label in "abc"])
    np.testing.assert_allclose(fitted.X_distilled_, means, atol=0.05 * X.std(axis=0).max(), rtol=0.02)
    assert losses(fitted)[-1] < 1e-2 * losses(fitted)[0]


def test_the_loss_of_one_update_is_the_closed_form(table):
    X, y = table
    fitted = matching(2, network=Mean, init="mean", max_iter=1).fit(X, y)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    start = matching(2, network=Mean, init="mean", max_iter=1, lr=1e-12, average=0).fit(X, y).X_distilled_
    rows = (start - X.mean(axis=0)) / X.std(axis=0)
    gaps = [scaled[y == label].mean(axis=0) - rows[2 * i : 2 * i + 2].mean(axis=0) for i, label in enumerate("abc")]
    assert losses(fitted)[0] == pytest.approx(sum(gap @ gap for gap in gaps), abs=1e-6)


@pytest.mark.parametrize("strategy", ["crop", "rotate", "scale", "flip", "contrast"])
def test_real_and_synthetic_images_are_changed_alike(images, strategy):
    X, y = images
    X = X[[0, 1, 30, 31]]
    fitted = matching(2, init="real", augment=[strategy], lr=1e-12, max_iter=6).fit(X, y[[0, 1, 30, 31]])
    assert max(losses(fitted)) < 1e-6  # all rows are there, so that each class looks as it does


def test_several_updates_per_network_look_at_the_real_rows_once(table):
    calls = []

    class Counting(Mean):
        def embed(self, x):
            calls.append(len(x))
            return super().embed(x)

    matching(network=Counting, outer_steps=4, max_iter=8).fit(*table)
    assert calls.count(90) == 2
    assert calls.count(3) == 8


def test_the_hybrid_adds_the_loss_of_gradient_matching(table):
    both = matching(2, gradient_weight=0.5, max_iter=2).fit(*table)
    alone = matching(2, max_iter=2).fit(*table)
    record = both.history_[0]
    assert record["gradient_loss"] > 0
    assert -1 <= record["similarity"] <= 1
    assert not np.array_equal(both.X_distilled_, alone.X_distilled_)
    first = matching(2, gradient_weight=0.5, max_iter=1).fit(*table).history_[0]
    plain = matching(2, max_iter=1).fit(*table).history_[0]["loss"]
    assert first["loss"] == pytest.approx(plain + 0.5 * first["gradient_loss"], rel=1e-5)


def test_the_hybrid_lets_the_gradients_agree(images):
    fitted = matching(loss="mean", gradient_weight=1.0, init="noise", max_iter=20, record_every=5, lr=0.3).fit(*images)
    assert fitted.history_[-1]["gradient_loss"] < fitted.history_[0]["gradient_loss"]


def test_models_learn_from_the_rows(table, numbers):
    X, y = table
    fitted = matching(2, max_iter=30).fit(X, y)
    scale = X.std(axis=0)
    assert LogisticRegression().fit(fitted.X_distilled_ / scale, fitted.y_distilled_).score(X / scale, y) > 0.85
    X, y = numbers
    for bins in (1, 4):
        fitted = matching(12, n_bins=bins, max_iter=30).fit(X, y)
        assert Ridge(1e-3).fit(fitted.X_distilled_, fitted.y_distilled_).score(X, y) > 0.9


def test_targets_can_be_learned_but_not_from_outputs(numbers):
    X, y = numbers
    fixed, learned = (matching(10, target_lr=lr).fit(X, y).y_distilled_ for lr in (None, 0.1))
    assert not np.allclose(fixed, learned)
    with pytest.raises(DataError, match="loss='kl' compares outputs"):
        matching(10, loss="kl", target_lr=0.1).fit(X, y)
    with pytest.raises(DataError, match="give gradient_weight=0"):
        matching(10, loss="js", gradient_weight=1.0).fit(X, y)


def test_bins_hold_all_rows_and_the_whole_budget():
    rng = np.random.RandomState(0)
    for y in (rng.normal(size=100), rng.randint(0, 4, size=100) / 2, np.r_[np.zeros(90), rng.normal(size=10)]):
        for size, n_bins in ((1, 1), (7, 7), (30, 10), (95, 10)):
            rows = TrainingRows(np.zeros((100, 1)), y, "regression", group_rows(y, 100, "regression", Budget(size)))
            groups = target_bins(rows, n_bins).groups
            assert sum(group.size for group in groups) == size
            assert all(1 <= group.size <= len(group.rows) for group in groups)
            assert sorted(np.concatenate([group.rows for group in groups])) == list(range(100))
            ends = [(y[group.rows].min(), y[group.rows].max()) for group in groups]
            assert all(high < low for (_, high), (low, _) in pairwise(ends))


def test_a_class_with_one_row_and_batches_larger_than_the_data(table):
    X, y = table
    keep = np.r_[0, np.flatnonzero(y != "a")]
    for loss in DISTRIBUTION_LOSSES:
        fitted = matching({"a": 1, "b": 2, "c": 3}, loss=loss, real_batch=100_000).fit(X[keep], y[keep])
        assert fitted.y_distilled_.tolist() == ["a", "b", "b", "c", "c", "c"]
        assert np.isfinite(fitted.X_distilled_).all()


def test_a_loss_that_is_not_finite_keeps_the_rows_before_it(images):
    with pytest.warns(
        DistillkitWarning, match=r"at iteration \d+ of distribution matching: the rows of iteration \d+ are kept"
    ):
        fitted = matching(lr=1e38, max_iter=50, record_every=1).fit(*images)
    assert np.isfinite(fitted.X_distilled_).all()
    assert fitted.distilled_.provenance["stopped_by"] == "not_finite"


def test_seconds_end_the_fit(images):
    fitted = matching(max_iter=10**6, max_seconds=0.4, patience=None).fit(*images)
    assert fitted.distilled_.provenance["stopped_by"] == "max_seconds"
    assert 1 <= fitted.n_iter_ < 10**6
    assert matching(max_seconds=1e-6).fit(*images).n_iter_ == 1


def test_series_and_other_networks(images):
    X, y = images
    assert matching(2).fit(X.reshape(60, 2, 32), y).X_distilled_.shape == (4, 2, 32)
    plain = lambda shape, n_outputs: nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), n_outputs))  # noqa: E731
    assert matching(network=plain).fit(X, y).X_distilled_.shape == (2, 1, 8, 8)


def test_augmentation_and_networks_that_do_not_fit(images, table):
    with pytest.raises(DataError, match=r"augment=\['rotate'\] is for images"):
        matching(augment=["rotate"]).fit(*table)
    with pytest.raises(DataError, match="too small for 5 poolings"):
        matching(network="convnet", depth=5).fit(*images)
    with pytest.raises(DataError, match="one class only"):
        matching().fit(images[0], np.zeros(60, dtype=int))


@pytest.mark.parametrize(
    ("name", "value"), [("loss", "l1"), ("gradient_weight", -1), ("n_bins", 0), ("real_batch", 0), ("outer_steps", 0)]
)
def test_settings_that_cannot_be(images, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        matching(**{name: value}).fit(*images)


def test_the_gradients_are_those_of_gradient_matching(table):
    """One update of the same rows, with the same network and all real rows."""
    X, y = table
    networks = {}

    def fixed(shape, n_outputs):
        if "net" not in networks:
            torch.manual_seed(0)
            networks["net"] = nn.Sequential(nn.Linear(shape[0], 6), nn.ReLU(), nn.Linear(6, n_outputs))
        return networks["net"]

    common = {"network": fixed, "init": "mean", "max_iter": 1, "real_batch": 90, "random_state": 0}
    hybrid = DistributionMatchingDistiller(1, gradient_weight=1.0, **common).fit(X, y).history_[0]
    matched = GradientMatchingDistiller(1, **common).fit(X, y).history_[0]
    assert hybrid["gradient_loss"] == pytest.approx(matched["loss"], rel=1e-4)
    assert hybrid["similarity"] == pytest.approx(matched["similarity"], rel=1e-4)
