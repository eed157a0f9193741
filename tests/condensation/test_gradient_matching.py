from __future__ import annotations

import json
import time

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from torch import nn

from distillkit.condensation import (
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.condensation.loop._synthetic_rows import SyntheticRows
from distillkit.distilled import DistilledSet
from distillkit.exceptions import BudgetError, DataError, DistillkitWarning
from distillkit.pipeline import Distilled, make_pipeline


def matching(budget=1, **options):
    settings = {"max_iter": 4, "width": 8, "hidden": (16,), "random_state": 0, "record_every": 2, "device": "cpu"}
    return GradientMatchingDistiller(budget, **{**settings, **options})


def test_rows_come_back_in_the_shape_units_and_labels_of_the_data(images):
    X, y = images
    fitted = matching(2).fit(X, y)
    assert fitted.X_distilled_.shape == (4, 1, 8, 8)
    assert fitted.X_distilled_.dtype == np.float32
    assert fitted.y_distilled_.tolist() == [3, 3, 7, 7]
    assert fitted.sample_weight_.tolist() == [15.0] * 4
    bright_left = fitted.X_distilled_[:, 0, :, :4].mean(axis=(1, 2)) > fitted.X_distilled_[:, 0, :, 4:].mean(
        axis=(1, 2)
    )
    assert bright_left.tolist() == [True, True, False, False]
    assert 50 < fitted.X_distilled_.mean() < 200


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_rows(images, table, numbers):
    for (X, y), budget in ((images, 2), (table, 2), (numbers, 6)):
        first, again, other = (matching(budget, random_state=seed).fit(X, y) for seed in (0, 0, 1))
        assert first.X_distilled_.tobytes() == again.X_distilled_.tobytes()
        assert not np.array_equal(first.X_distilled_, other.X_distilled_)
        losses = [[record["loss"] for record in fitted.history_] for fitted in (first, again, other)]
        assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (GradientMatchingDistiller, {}),
        (DistributionMatchingDistiller, {}),
        (TrajectoryMatchingDistiller, {"n_experts": 2, "expert_epochs": 3, "student_steps": 2}),
    ],
)
def test_a_linear_schedule_ends_the_rates_with_the_updates(method, options, table, monkeypatch):
    shares, update = [], SyntheticRows.update

    def noted(rows, gradients, share=1.0):
        shares.append(share)
        return update(rows, gradients, share)

    monkeypatch.setattr(SyntheticRows, "update", noted)
    settings = {"max_iter": 4, "patience": None, "hidden": (8,), "random_state": 0, "device": "cpu", **options}
    method(1, **settings).fit(*table)
    method(1, schedule="linear", **settings).fit(*table)
    assert shares == [1, 1, 1, 1, 0.875, 0.625, 0.375, 0.125]


def test_a_linear_schedule_ends_the_rates_with_the_time(table, monkeypatch):
    shares, update = [], SyntheticRows.update

    def noted(rows, gradients, share=1.0):
        shares.append(share)
        return update(rows, gradients, share)

    matching(schedule="linear").fit(*table)  # the first fit of a process imports
    monkeypatch.setattr(SyntheticRows, "update", noted)
    fitted = matching(max_iter=10**6, max_seconds=1.0, patience=None, schedule="linear").fit(*table)
    assert fitted.distilled_.provenance["stopped_by"] == "max_seconds"
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.99
    assert shares[-1] < 0.3  # how far a last update is from the end depends on what else the machine does


def test_the_users_own_random_numbers_stay_as_they_were(images):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    matching().fit(*images)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("distance", "lr", "share"), [("layer-cosine", 0.3, 0.5), ("cosine", 9.0, 0.5), ("l1", 0.3, 0.7), ("l2", 9.0, 0.5)]
)
def test_the_matching_loss_falls_from_noise(images, distance, lr, share):
    fitted = matching(distance=distance, init="noise", lr=lr, max_iter=30, record_every=6).fit(*images)
    first, last = fitted.history_[0], fitted.history_[-1]
    assert last["loss"] < share * first["loss"]
    assert last["similarity"] > first["similarity"]


def test_history_can_be_written_as_json_and_tells_where_it_is(images):
    fitted = matching(max_iter=5, record_every=2).fit(*images)
    assert [record["iteration"] for record in fitted.history_] == [2, 4, 5]
    assert set(fitted.history_[0]) == {"iteration", "loss", "similarity", "seconds"}
    assert json.loads(json.dumps(fitted.history_)) == fitted.history_
    assert fitted.n_iter_ == 5
    assert fitted.distilled_.provenance["stopped_by"] == "max_iter"


def test_updates_of_one_visit_follow_the_gradients_of_the_same_rows(table):
    X, y = table
    networks = []

    def network(shape, n_outputs):
        networks.append(nn.Sequential(nn.Linear(shape[0], 4), nn.Tanh(), nn.Linear(4, n_outputs)))
        return networks[-1]

    free = {"real_batch": 30, "distance": "l2", "momentum": 0.0, "clip_rms": None, "lr": 1.0, "patience": None}
    fitted = matching(network=network, updates=3, max_iter=3, outer_steps=1, record_every=1, **free).fit(X, y)

    # By hand: one network was visited, with all rows as real rows and class means as the start.
    Z = torch.tensor(StandardScaler().fit_transform(X), dtype=torch.float32)
    codes = torch.tensor(np.unique(y, return_inverse=True)[1])
    rows = torch.stack([Z[codes == code].mean(0) for code in range(3)]).requires_grad_()
    weights = list(networks[-1].parameters())
    losses = []
    for _ in range(3):
        loss = torch.zeros(())
        for code in range(3):
            some = codes == code
            real = torch.autograd.grad(nn.functional.cross_entropy(networks[-1](Z[some]), codes[some]), weights)
            guess = nn.functional.cross_entropy(networks[-1](rows[code : code + 1]), torch.tensor([code]))
            synthetic = torch.autograd.grad(guess, weights, create_graph=True)
            loss = loss + sum(((a - b) ** 2).sum() for a, b in zip(synthetic, real, strict=True))
        losses.append(loss.item())
        rows = (rows - torch.autograd.grad(loss, rows)[0]).detach().requires_grad_()
    assert fitted.history_[0]["loss"] == pytest.approx(sum(losses) / 3, rel=1e-4)
    assert abs(losses[2] - losses[0]) > 0.1 * losses[0]  # else one update would pass for three


def test_a_visit_looks_at_real_rows_once(table):
    sizes = []

    class Counting(nn.Module):
        def __init__(self, shape, n_outputs):
            super().__init__()
            self.layer = nn.Linear(shape[0], n_outputs)

        def forward(self, rows):
            sizes.append(len(rows))
            return self.layer(rows)

    matching(network=Counting, updates=4, max_iter=12, outer_steps=2, inner_steps=1, real_batch=7).fit(*table)
    assert sizes.count(7) == 3 * 3  # visits times classes


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_networks_may_learn_from_real_rows_between_visits(table, numbers, kind):
    X, y = table if kind == "classes" else numbers
    inputs = []

    class Noting(nn.Module):
        def __init__(self, shape, n_outputs):
            super().__init__()
            self.layer = nn.Linear(shape[0], n_outputs)

        def forward(self, rows):
            inputs.append(rows.detach().clone())
            return self.layer(rows)

    X, y = np.concatenate([X] * 3), np.concatenate([y] * 3)  # more than the batches of a visit
    options = {"network": Noting, "outer_steps": 2, "inner_steps": 2, "max_iter": 6, "real_batch": 7, "budget": 3}
    matching(train_on="real", **options).fit(X, y)
    batches = [rows for rows in inputs if len(rows) == 64]
    Z = torch.tensor(StandardScaler().fit_transform(X), dtype=torch.float32)
    assert cdist(torch.cat(batches), Z).min(axis=1).max() < 1e-5
    assert len(batches) == 3 * (2 + 1)  # networks: two batches each, and the last once more, to see that it is finite
    assert len({batch.numpy().tobytes() for batch in batches}) == 6

    inputs.clear()
    matching(**options).fit(X, y)
    assert not [rows for rows in inputs if len(rows) == 64]


def test_seconds_end_the_fit(images):
    started = time.perf_counter()
    fitted = matching(max_iter=1_000_000, max_seconds=0.5, patience=None).fit(*images)
    assert time.perf_counter() - started < 10
    assert fitted.distilled_.provenance["stopped_by"] == "max_seconds"
    assert 1 <= fitted.n_iter_ < 1_000_000
    assert np.isfinite(fitted.X_distilled_).all()


def test_seconds_that_are_over_at_once_leave_one_update(images):
    fitted = matching(max_iter=10, max_seconds=1e-6).fit(*images)
    assert fitted.n_iter_ == 1
    assert len(fitted.history_) == 1


def test_training_between_updates_is_interrupted_too(images):
    fitted = matching(outer_steps=2, inner_steps=10_000_000, max_seconds=1.0).fit(*images)
    assert fitted.n_iter_ == 1
    assert fitted.distilled_.provenance["stopped_by"] == "max_seconds"


def test_patience_ends_the_fit(images):
    fitted = matching(max_iter=500, lr=1e-9, tol=0.5, patience=6, record_every=2).fit(*images)
    assert fitted.distilled_.provenance["stopped_by"] == "converged"
    assert fitted.n_iter_ == 8  # the first block of two falls from infinity, then three do not


@pytest.mark.parametrize("init", ["noise", "mean"])
def test_a_loss_that_is_not_finite_keeps_the_rows_before_it(images, init):
    X, y = images
    distiller = matching(lr=1e38, init=init, max_iter=50, record_every=1)
    with pytest.warns(
        DistillkitWarning, match=r"not finite, at iteration \d+ .*rows of iteration \d+ are kept; lower lr"
    ):
        fitted = distiller.fit(X, y)
    assert np.isfinite(fitted.X_distilled_).all()
    assert fitted.distilled_.provenance["stopped_by"] == "not_finite"
    assert fitted.n_iter_ < 50


def test_a_network_that_diverges_on_the_rows_keeps_them(images):
    with pytest.warns(DistillkitWarning, match="not finite|loss is"):
        fitted = matching(2, outer_steps=4, inner_steps=30, network_lr=1e30, max_iter=40).fit(*images)
    assert np.isfinite(fitted.X_distilled_).all()


def test_clipping_holds_the_rows_in_the_range_of_the_data(images):
    X, y = images
    free, held = (matching(clip=clip, lr=2.0, max_iter=6).fit(X, y).X_distilled_ for clip in (False, True))
    assert free.min() < X.min()
    assert held.min() >= X.min() - 1e-3
    assert held.max() <= X.max() + 1e-3


def test_a_bound_on_the_gradient_shortens_the_way(images):
    start = matching(lr=1e-12).fit(*images).X_distilled_
    far, near = (matching(lr=1.0, clip_rms=norm).fit(*images).X_distilled_ for norm in (None, 1e-3))
    longest = 4 * 2 * 1.0 * 1e-3 * images[0].std()  # four steps, twice as long by momentum
    moved = [np.sqrt(((rows - start) ** 2).mean(axis=(1, 2, 3))).max() for rows in (near, far)]
    assert moved[0] < longest < moved[1]


def test_a_class_with_one_row_and_a_budget_for_each_class(table):
    X, y = table
    keep = np.r_[0, np.flatnonzero(y != "a")]
    fitted = matching({"a": 1, "b": 2, "c": 3}).fit(X[keep], y[keep])
    assert fitted.y_distilled_.tolist() == ["a", "b", "b", "c", "c", "c"]
    assert fitted.sample_weight_.tolist() == [1, 15, 15, 10, 10, 10]


def test_a_share_of_the_rows(table):
    assert len(matching(0.1).fit(*table).X_distilled_) == 9


def test_more_rows_than_there_are(table):
    with pytest.raises(BudgetError, match="asks for 31 rows"):
        matching(31).fit(*table)


def test_one_class_is_refused(table):
    X, _ = table
    with pytest.raises(DataError, match="one class only"):
        matching().fit(X, np.zeros(len(X), dtype=int))


def test_y_is_needed(table):
    with pytest.raises(ValueError, match="requires y"):
        matching().fit(table[0])


def test_models_learn_from_the_rows(table):
    X, y = table
    pipe = make_pipeline(StandardScaler(), matching(max_iter=30, hidden=(32,)), LogisticRegression()).fit(X, y)
    assert pipe.score(X, y) > 0.85
    assert Distilled(matching(), LogisticRegression()).fit(X, y).predict(X).shape == y.shape


def test_a_grid_of_settings(table):
    search = GridSearchCV(
        make_pipeline(matching(), LogisticRegression()), {"gradientmatchingdistiller__lr": [0.1, 1.0]}, cv=2
    )
    assert search.fit(*table).best_params_["gradientmatchingdistiller__lr"] in (0.1, 1.0)


def test_numbers_are_distilled_with_their_targets(numbers):
    X, y = numbers
    fixed, learned = (matching(10, max_iter=20, inner_steps=5, target_lr=lr).fit(X, y) for lr in (None, 0.1))
    for fitted in (fixed, learned):
        assert fitted.y_distilled_.dtype == np.float64
        assert Ridge(1e-3).fit(fitted.X_distilled_, fitted.y_distilled_).score(X, y) > 0.9
    assert not np.allclose(fixed.y_distilled_, learned.y_distilled_)
    start = matching(10, max_iter=1).fit(X, y)
    np.testing.assert_allclose(fixed.y_distilled_, start.y_distilled_, rtol=1e-6)


def test_series(images):
    X, y = images
    series = X.reshape(60, 2, 32)
    fitted = matching(2).fit(series, y)
    assert fitted.X_distilled_.shape == (4, 2, 32)


def test_images_too_small_for_three_poolings_get_a_shallower_network():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], 10)
    for side in (10, 8, 3):  # fewer poolings, and below eight pixels no convolutions at all
        X = rng.normal(size=(20, 1, side, side)) + y[:, None, None, None]
        assert matching(max_iter=2).fit(X, y).X_distilled_.shape == (2, 1, side, side)


def test_a_network_that_does_not_fit(images, table):
    with pytest.raises(DataError, match="network='convnet' takes images"):
        matching(network="convnet").fit(*table)
    with pytest.raises(DataError, match="too small for 5 poolings"):
        matching(network="convnet", depth=5).fit(*images)
    with pytest.raises(DataError, match="network='transformer' is not known"):
        matching(network="transformer").fit(*images)


def test_a_network_of_ones_own(images):
    def make(shape, n_outputs):
        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 5), nn.Tanh(), nn.Linear(5, n_outputs))

    assert matching(network=make).fit(*images).X_distilled_.shape == (2, 1, 8, 8)


@pytest.mark.parametrize("network", ["lenet", "resnet18", "mlp"])
def test_other_networks_for_images(network):
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], 6)
    X = rng.normal(size=(12, 1, 12, 12)) + y[:, None, None, None]
    fitted = matching(network=network, max_iter=2, real_batch=4).fit(X, y)
    assert fitted.X_distilled_.shape == (2, 1, 12, 12)
    assert fitted.history_[0]["loss"] > 0


def test_batch_norm_is_refused(images):
    def make(shape, n_outputs):
        return nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, n_outputs))

    with pytest.raises(DataError, match="batch norm"):
        matching(network=make).fit(*images)


def test_augmentation_is_for_images(images, table):
    for augment in ("auto", ["rotate"]):
        assert matching(augment=augment).fit(*images).X_distilled_.shape == (2, 1, 8, 8)
    assert matching(augment="auto").fit(*table).X_distilled_.shape == (3, 5)
    with pytest.raises(DataError, match=r"augment=\['rotate'\] is for images"):
        matching(augment=["rotate"]).fit(*table)


def test_integers_and_torch_come_back_as_they_came(images):
    X, y = images
    pixels, labels = matching().fit_resample(X.astype(np.uint8), y)
    as_floats, _ = matching().fit_resample(X.astype(np.uint8).astype(np.float64), y)
    assert pixels.dtype.kind == "f"  # made rows are not rounded to the type of X
    np.testing.assert_allclose(pixels, as_floats, rtol=1e-6)
    rows, codes = matching().fit_resample(torch.as_tensor(X), torch.as_tensor(y))
    assert isinstance(rows, torch.Tensor)
    assert codes.tolist() == labels.tolist() == [3, 7]


def test_constant_columns_and_huge_units_do_no_harm(table):
    X, y = table
    X = np.column_stack([X * 1e12 + 1e14, np.full(len(X), 7.0)])
    fitted = matching().fit(X, y)
    assert np.isfinite(fitted.X_distilled_).all()
    assert 0.9e14 < fitted.X_distilled_[:, 0].mean() < 1.1e14


def test_rounds_trip_as_an_artefact(images, tmp_path):
    fitted = matching().fit(*images)
    fitted.distilled_.save(tmp_path / "rows.safetensors")
    again = DistilledSet.load(tmp_path / "rows.safetensors")
    np.testing.assert_array_equal(again.X, fitted.X_distilled_)
    assert clone(fitted).get_params() == fitted.get_params()


@pytest.mark.parametrize(
    ("name", "value"),
    [("lr", -1), ("distance", "l3"), ("init", "zeros"), ("norm", "batch"), ("average", 1.0), ("max_iter", 0)],
)
def test_settings_that_cannot_be(images, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        matching(**{name: value}).fit(*images)
