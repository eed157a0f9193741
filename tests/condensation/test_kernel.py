from __future__ import annotations

import json
import time

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from torch import nn

from distillkit.condensation import KernelDistiller
from distillkit.condensation.kernel._network_pool import NetworkPool, PoolMember, draw_he_weights
from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.nn import ConvNet, Mlp, Threads, class_loss, make_network, predict_rows, rows_to_share, seeded


def kernel(budget=1, **options):
    settings = {"max_iter": 6, "width": 4, "hidden": (16,), "pool_size": 2, "random_state": 0, "record_every": 2}
    return KernelDistiller(budget, **{**settings, "device": "cpu", **options})


def test_rows_come_back_in_the_shape_units_and_labels_of_the_data(images):
    X, y = images
    fitted = kernel(2).fit(X, y)
    assert fitted.X_distilled_.shape == (4, 1, 8, 8)
    assert fitted.X_distilled_.dtype == np.float32
    assert fitted.y_distilled_.tolist() == [3, 3, 7, 7]
    assert fitted.sample_weight_.tolist() == [15.0] * 4
    assert not hasattr(fitted, "soft_labels_")
    assert 50 < fitted.X_distilled_.mean() < 200


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_rows(images, table, numbers):
    for (X, y), budget, learned in ((images, 2, True), (table, 2, False), (numbers, 6, "auto")):
        first, again, other = (kernel(budget, learn_labels=learned, random_state=seed).fit(X, y) for seed in (0, 0, 1))
        assert first.X_distilled_.tobytes() == again.X_distilled_.tobytes()
        assert first.y_distilled_.tobytes() == again.y_distilled_.tobytes()
        assert not np.array_equal(first.X_distilled_, other.X_distilled_)
        if learned is True:
            assert first.soft_labels_.tobytes() == again.soft_labels_.tobytes()


def test_the_users_own_random_numbers_stay_as_they_were(images):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    kernel(augment="auto").fit(*images)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("norm", ["instance", "none"])
def test_the_loss_falls_from_noise(images, norm):
    fitted = kernel(init="noise", lr=0.1, average=0.0, max_iter=60, record_every=10, norm=norm).fit(*images)
    first, last = fitted.history_[0], fitted.history_[-1]
    assert last["loss"] < 0.5 * first["loss"]
    assert last["accuracy"] > 0.9


def test_learned_labels_are_probabilities_beside_the_labels_they_started_from(table):
    X, y = table
    start = kernel(2, learn_labels=True, max_iter=1).fit(X, y).soft_labels_
    fitted = kernel(2, learn_labels=True, label_lr=0.1, max_iter=30, average=0.0).fit(X, y)
    assert fitted.y_distilled_.tolist() == ["a", "a", "b", "b", "c", "c"]
    np.testing.assert_allclose(fitted.soft_labels_.sum(axis=1), 1)
    np.testing.assert_allclose(start.max(axis=1), 0.9, atol=0.01)
    assert np.abs(fitted.soft_labels_ - start).max() > 0.02
    np.testing.assert_array_equal(fitted.distilled_.soft_labels, fitted.soft_labels_)
    assert not hasattr(fitted.set_params(learn_labels=False).fit(X, y), "soft_labels_")


def test_numbers_are_learned_unless_they_are_to_stay(numbers):
    X, y = numbers
    start, learned, fixed = (
        kernel(8, learn_labels=setting, max_iter=steps).fit(X, y)
        for setting, steps in (("auto", 1), ("auto", 40), (False, 40))
    )
    assert not np.allclose(learned.y_distilled_, start.y_distilled_)
    np.testing.assert_allclose(fixed.y_distilled_, start.y_distilled_, atol=0.02 * y.std())
    for fitted in (learned, fixed):
        assert Ridge(1e-3).fit(fitted.X_distilled_, fitted.y_distilled_).score(X, y) > 0.8
        assert set(fitted.history_[0]) == {"iteration", "loss", "r2", "seconds"}


def test_models_learn_from_the_rows(table):
    X, y = table
    rows, labels = kernel(max_iter=40).fit_resample(X, y)
    scale = X.std(axis=0)
    assert LogisticRegression(max_iter=1000).fit(rows / scale, labels).score(X / scale, y) > 0.85


def test_history_can_be_written_as_json_and_tells_where_it_is(images):
    fitted = kernel(max_iter=5).fit(*images)
    assert [record["iteration"] for record in fitted.history_] == [2, 4, 5]
    assert set(fitted.history_[0]) == {"iteration", "loss", "accuracy", "seconds"}
    assert json.loads(json.dumps(fitted.history_)) == fitted.history_
    assert fitted.n_iter_ == 5
    assert fitted.distilled_.provenance["stopped_by"] == "max_iter"


def test_seconds_end_the_fit(images):
    started = time.perf_counter()
    fitted = kernel(max_iter=1_000_000, max_seconds=0.5, patience=None).fit(*images)
    assert time.perf_counter() - started < 20
    assert fitted.distilled_.provenance["stopped_by"] == "max_seconds"
    assert np.isfinite(fitted.X_distilled_).all()
    assert kernel(max_seconds=1e-9).fit(*images).n_iter_ == 1


def test_patience_ends_the_fit(images):
    fitted = kernel(max_iter=500, lr=1e-9, tol=0.5, patience=6).fit(*images)
    assert fitted.distilled_.provenance["stopped_by"] == "converged"
    assert fitted.n_iter_ == 8  # the first block of two falls from infinity, then three do not


@pytest.mark.parametrize("init", ["noise", "mean"])
def test_a_loss_that_is_not_finite_keeps_the_rows_before_it(images, init):
    distiller = kernel(lr=1e30, init=init, max_iter=50, record_every=1, average=0.0)
    with pytest.warns(
        DistillkitWarning, match=r"at iteration \d+ of kernel matching: the rows of iteration \d+ are kept"
    ):
        fitted = distiller.fit(*images)
    assert np.isfinite(fitted.X_distilled_).all()
    assert fitted.distilled_.provenance["stopped_by"] == "not_finite"
    assert fitted.n_iter_ < 50


def test_a_class_with_one_row_and_a_batch_larger_than_the_data(table):
    X, y = table
    keep = np.r_[0, np.flatnonzero(y != "a")]
    fitted = kernel({"a": 1, "b": 2, "c": 3}, real_batch=10_000).fit(X[keep], y[keep])
    assert fitted.y_distilled_.tolist() == ["a", "b", "b", "c", "c", "c"]
    assert fitted.sample_weight_.tolist() == [1, 15, 15, 10, 10, 10]


def test_clipping_holds_the_rows_in_the_range_of_the_data(images):
    X, y = images
    free, held = (kernel(clip=clip, lr=0.5, average=0.0).fit(X, y).X_distilled_ for clip in (False, True))
    assert free.min() < X.min()
    assert held.min() >= X.min() - 1e-3
    assert held.max() <= X.max() + 1e-3


def test_series_and_networks_by_name(images):
    X, y = images
    assert kernel(2).fit(X.reshape(60, 2, 32), y).X_distilled_.shape == (4, 2, 32)
    assert kernel(network="mlp").fit(X, y).X_distilled_.shape == (2, 1, 8, 8)


def test_one_class_and_networks_that_do_not_fit(images, table):
    X, y = table
    with pytest.raises(DataError, match="one class only"):
        kernel().fit(X, np.zeros(len(X), dtype=int))
    with pytest.raises(DataError, match="network='convnet' takes images"):
        kernel(network="convnet").fit(X, y)
    with pytest.raises(DataError, match="has no method embed"):
        kernel(network=lambda shape, n_outputs: nn.Linear(shape[0], n_outputs)).fit(X, y)
    with pytest.raises(DataError, match=r"augment=\['rotate'\] is for images"):
        kernel(augment=["rotate"]).fit(X, y)


def test_a_network_of_ones_own_keeps_its_weights(table):
    made = []

    def make(shape, n_outputs):
        made.append(Mlp(shape, n_outputs, hidden=(7,)))
        return made[-1]

    first = clone(kernel(network=make, max_iter=1, network_steps=0, pool_size=1)).fit(*table)
    assert first.X_distilled_.shape == (3, 5)
    with torch.no_grad():
        assert all(network.head.bias.abs().max() > 0 for network in made)  # torch's own first biases


@pytest.mark.parametrize(("name", "value"), [("lr", 0), ("feature_map", "rbf"), ("ridge", 0), ("max_age", 0)])
def test_settings_that_cannot_be(images, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        kernel(**{name: value}).fit(*images)


def pool_of(size, max_age):
    seeds = iter(range(10_000))
    made = []

    def make(seed):
        made.append(seed)
        return make_network("mlp", (3,), 2, seed=seed, hidden=(4,))

    return NetworkPool(make, lambda: next(seeds), size=size, max_age=max_age, lr=0.1), made


def test_networks_are_replaced_at_their_age_and_the_first_ones_sooner():
    pool, made = pool_of(1, 3)
    visits = [pool.visit(np.random.default_rng(0)) for _ in range(7)]
    assert [visits.index(member) for member in visits] == [0, 0, 0, 3, 3, 3, 6]
    assert made == [0, 1, 2]
    members = pool_of(4, 100)[0]._members
    assert [member.limit for member in members] == [25, 50, 75, 100]


def test_fresh_networks_only():
    pool, _ = pool_of(3, 1)
    rng = np.random.default_rng(0)
    assert len({id(member.network) for member in [pool.visit(rng) for _ in range(9)]}) == 9


def test_learning_lowers_the_loss_of_a_member():
    pool, _ = pool_of(1, 10)
    member = pool.visit(np.random.default_rng(0))
    X, y = torch.eye(3), torch.tensor([0, 1, 1])
    before = nn.functional.cross_entropy(predict_rows(member.network, X), y)
    for _ in range(5):
        member.learn(X, class_loss(y), Threads(allowed=False))
    assert nn.functional.cross_entropy(predict_rows(member.network, X), y) < before


def test_learning_in_threads_is_learning():
    """The step that threads take together is that of the mean loss of all rows."""
    X, y = torch.randn(40, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 3
    whole, shared = (ConvNet((1, 28, 28), 3, width=8) for _ in range(2))
    shared.load_state_dict(whole.state_dict())
    with Threads() as threads:
        assert threads.count == 1 or rows_to_share(shared, X) <= 40  # else nothing would be shared
        PoolMember(shared, torch.optim.SGD(shared.parameters(), 0.1), 1).learn(X, class_loss(y), threads)
    nn.functional.cross_entropy(whole(X), y).backward()
    torch.optim.SGD(whole.parameters(), 0.1).step()
    for first, second in zip(whole.parameters(), shared.parameters(), strict=True):
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-6)


def test_first_weights_keep_the_size_of_the_signal():
    with seeded(0):
        network = draw_he_weights(Mlp((200,), 2, hidden=(400, 400, 400)), seed=1)
    x = torch.randn(100, 200, generator=torch.Generator().manual_seed(0))
    size = float(network.embed(x).square().mean().detach())
    assert size == pytest.approx(1.0, rel=0.3)  # of a ReLU: mean square of half a normal's with variance 2
    assert float(network.head.bias.detach().abs().max()) == 0
