from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.nn import (
    NetworkClassifier,
    NetworkRegressor,
    Recipe,
    class_loss,
    make_generator,
    make_network,
    number_loss,
    train_network,
)

QUICK = {"hidden": (8,), "epochs": 40, "lr": 0.05, "precision": "float32", "random_state": 0}


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    return rng.normal(size=(90, 4)) * [1, 10, 100, 1] + np.eye(3, 4)[y] * [5, 50, 500, 0], y


def weights(model):
    return [weight.detach().numpy() for weight in model.network_.parameters()]


def test_the_classifier_is_train_network_on_standardized_rows(table):
    X, y = table
    model = NetworkClassifier(**QUICK).fit(X.astype(np.float32), y)
    seeds = np.random.RandomState(0).randint(np.iinfo(np.int32).max, size=2)
    network = make_network("mlp", (4,), 3, seed=int(seeds[0]), hidden=(8,))
    Z = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
    recipe = Recipe(epochs=40, optimizer="adam", lr=0.05, schedule="onecycle", precision="float32")
    train_network(network, Z, class_loss(torch.tensor(y)), recipe, generator=make_generator(int(seeds[1])))
    for a, b in zip(weights(model), network.parameters(), strict=True):
        np.testing.assert_allclose(a, b.detach(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(X), torch.softmax(network(Z), 1).detach(), rtol=1e-3, atol=1e-5)
    assert model.score(X, y) > 0.95
    assert [entry["epoch"] for entry in model.history_] == list(range(1, 41))
    assert (model.n_iter_, model.stopped_by_) == (40, "max_iter")


def test_labels_of_any_kind(table):
    X, y = table
    names = np.array(["ant", "bee", "cow"])
    model = NetworkClassifier(**QUICK).fit(X, names[y])
    assert model.classes_.tolist() == ["ant", "bee", "cow"]
    np.testing.assert_array_equal(model.predict(X), names[NetworkClassifier(**QUICK).fit(X, y).predict(X)])


def test_soft_labels_that_are_hard_change_nothing(table):
    X, y = table
    hard = NetworkClassifier(**QUICK).fit(X, y)
    soft = NetworkClassifier(**QUICK).fit(X, y, soft_labels=np.eye(3)[y])
    np.testing.assert_allclose(soft.decision_function(X), hard.decision_function(X), rtol=1e-3, atol=1e-4)
    with pytest.raises(DataError, match=r"soft_labels have shape \(90, 2\), but y has 90 rows of 3 classes"):
        NetworkClassifier(**QUICK).fit(X, y, soft_labels=np.ones((90, 2)))


def test_soft_labels_are_what_is_learned():
    X, y = np.zeros((10, 2)) + np.arange(10)[:, None] % 2, np.arange(10) % 2
    soft = np.where(y[:, None] == 0, [0.7, 0.3], [0.2, 0.8])
    model = NetworkClassifier(**QUICK | {"hidden": (), "epochs": 500, "lr": 0.1, "weight_decay": 0}).fit(
        X, y, soft_labels=soft
    )
    np.testing.assert_allclose(model.predict_proba(X), soft, atol=0.01)


def test_another_loss(table):
    X, y = table
    plain = NetworkClassifier(**QUICK).fit(X, y)
    given = NetworkClassifier(**QUICK).fit_loss(
        X, [0, 1, 2], lambda device: class_loss(torch.as_tensor(y, device=device))
    )
    assert all(np.array_equal(a, b) for a, b in zip(weights(plain), weights(given), strict=True))
    numbers = NetworkRegressor(**QUICK).fit(X, y)
    again = NetworkRegressor(**QUICK)
    again.fit_loss(X, y, lambda device: number_loss(torch.as_tensor(again.scaled(y), device=device)))
    assert all(np.array_equal(a, b) for a, b in zip(weights(numbers), weights(again), strict=True))


def test_parts_of_a_loss_go_into_the_history(table):
    X, y = table

    class Counted:
        steps = 0

        def __call__(self, outputs, rows):
            self.steps += 1
            return class_loss(torch.as_tensor(y))(outputs, rows)

        def parts(self):
            return {"steps": self.steps}

    model = NetworkClassifier(**QUICK | {"epochs": 2, "batch_size": 30}).fit_loss(X, [0, 1, 2], lambda _: Counted())
    assert [entry["steps"] for entry in model.history_] == [3, 6]


def test_two_classes_have_one_decision_value(table):
    X, y = table
    model = NetworkClassifier(**QUICK).fit(X, y > 0)
    odds = np.exp(model.decision_function(X))
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], odds / (1 + odds))
    assert model.predict(X).dtype == bool


def test_numbers_in_any_units(table):
    X, _ = table
    y = X[:, 1] - 3 * X[:, 0]
    small, large = (NetworkRegressor(**QUICK).fit(X, t) for t in (y, 1024 * y + 5e4))
    np.testing.assert_allclose(large.predict(X), 1024 * small.predict(X) + 5e4, rtol=1e-3)
    assert small.score(X, y) > 0.8


def test_a_constant_target_and_constant_rows():
    """The computed deviation of equal numbers is rounding noise; dividing by it would blow it up."""
    X, y = np.full((7, 1, 8, 8), 0.1), np.full(7, 0.1)
    model = NetworkRegressor(**QUICK | {"epochs": 2}).fit(X, y)
    assert (model.y_scale_, model.preprocessing_.scale[0]) == (1.0, 1.0)
    assert np.isfinite(model.predict(X)).all()


def test_images_and_series_have_one_scale_tables_one_per_column():
    rng = np.random.default_rng(0)
    X = rng.normal(3, 2, size=(20, 2, 8, 8)).astype(np.float32)
    model = NetworkClassifier(width=2, epochs=1, random_state=0).fit(X, np.arange(20) % 2)
    assert model.shape_ == (2, 8, 8)
    assert np.unique(model.preprocessing_.scale) == pytest.approx([X.std()], rel=1e-5)
    assert model.predict(X).shape == (20,)
    with pytest.raises(DataError, match=r"rows have shape \(2, 9, 8\), but the network was trained on \(2, 8, 8\)"):
        model.predict(np.zeros((3, 2, 9, 8)))


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 16), (5,)])
def test_same_seed_same_bits(shape):
    X = np.random.default_rng(0).normal(size=(30, *shape))
    y, state = np.arange(30) % 2, torch.get_rng_state()
    fit = [NetworkClassifier(width=4, epochs=2, batch_size=8, random_state=seed).fit(X, y) for seed in (1, 1, 2)]
    assert all(np.array_equal(a, b) for a, b in zip(weights(fit[0]), weights(fit[1]), strict=True))
    assert not np.array_equal(weights(fit[0])[0], weights(fit[2])[0])
    assert torch.equal(torch.get_rng_state(), state)


def test_pickle_and_clone(table):
    X, y = table
    model = NetworkClassifier(**QUICK).fit(X, y)
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    assert clone(model).get_params() == model.get_params()
    assert model.network_ is not back.network_


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_network_from_a_gpu_is_pickled_on_the_cpu(table):
    X, y = table
    model = NetworkClassifier(**QUICK, device="cuda").fit(X, y)
    assert next(model.network_.parameters()).is_cuda
    back = pickle.loads(pickle.dumps(model))
    assert not next(back.network_.parameters()).is_cuda
    np.testing.assert_allclose(back.predict_proba(X), model.predict_proba(X), atol=1e-3)


def test_containers(table):
    pandas = pytest.importorskip("pandas")
    X, y = table
    expected = NetworkClassifier(**QUICK).fit(X, y).predict_proba(X)
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = NetworkClassifier(**QUICK).fit(frame, pandas.Series(y))
    np.testing.assert_allclose(model.predict_proba(frame), expected)
    assert model.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_allclose(
        NetworkClassifier(**QUICK).fit(torch.tensor(X), torch.tensor(y)).predict_proba(X), expected
    )


def test_weights_of_zero_leave_rows_out(table):
    X, y = table
    wrong = np.where(np.arange(90) < 45, y, (y + 1) % 3)
    model = NetworkClassifier(**QUICK).fit(X, wrong, sample_weight=(np.arange(90) < 45) * 2.0)
    assert model.score(X, y) > 0.95
    with pytest.raises(ValueError, match="zero"):
        NetworkClassifier(**QUICK).fit(X, y, sample_weight=np.zeros(90))
    with pytest.raises(ValueError, match="Negative values"):
        NetworkClassifier(**QUICK).fit(X, y, sample_weight=-np.ones(90))


def test_the_clock_ends_a_fit(table):
    model = NetworkClassifier(**QUICK | {"epochs": 10**6}, max_seconds=0.05).fit(*table)
    assert model.stopped_by_ == "max_seconds"
    assert 1 <= model.n_iter_ == len(model.history_) < 10**6


def test_a_loss_that_is_not_finite_is_a_warning_that_names_the_step(table):
    X, y = table
    steps = []

    def make_loss(_):
        plain = class_loss(torch.as_tensor(y))

        def loss(outputs, rows):
            steps.append(1)
            return plain(outputs, rows) * (np.nan if len(steps) > 6 else 1)

        return loss

    model = NetworkClassifier(**QUICK | {"batch_size": 30})
    with pytest.warns(
        DistillkitWarning, match=r"the loss is nan in step 7 \(epoch 3\): .* after epoch 1; lower lr=0.05"
    ):
        model.fit_loss(X, [0, 1, 2], make_loss)
    assert (model.n_iter_, model.stopped_by_) == (2, "not_finite")
    assert np.isfinite(model.predict_proba(X)).all()


def test_a_loss_that_is_never_finite_is_an_error(table):
    X, y = table
    with pytest.raises(
        DataError, match=r"the loss is nan in step 1 .* no epoch before has made the loss lower: lower lr"
    ):
        NetworkClassifier(**QUICK).fit(X, y, soft_labels=np.full((90, 3), np.nan))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"network": "convnet"}, "takes images"),
        ({"network": nn.Linear(9, 3)}, "does not take rows of shape"),
        ({"augment": ["flip"]}, "is for images"),
        ({"device": "abacus"}, "is not a device"),
    ],
)
def test_what_does_not_fit(params, message, table):
    with pytest.raises(DataError, match=message):
        NetworkClassifier(**QUICK | params).fit(*table)


@pytest.mark.parametrize(
    ("params", "name"), [({"epochs": 0}, "epochs"), ({"lr": 0}, "lr"), ({"schedule": "?"}, "schedule")]
)
def test_parameters_are_checked_in_fit(params, name, table):
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        NetworkClassifier(**QUICK | params).fit(*table)


def test_augmentation_of_images_by_name_or_list():
    X = np.random.default_rng(0).random((12, 1, 8, 8))
    y = np.arange(12) % 2
    quick = {"width": 2, "epochs": 2, "random_state": 0}
    plain, auto, flip = (NetworkClassifier(**quick, augment=a).fit(X, y) for a in (None, "auto", ("flip",)))
    assert not np.array_equal(weights(plain)[0], weights(auto)[0])
    assert not np.array_equal(weights(plain)[0], weights(flip)[0])
    table = X.reshape(12, -1)
    plain, auto = (NetworkClassifier(**quick, augment=a).fit(table, y) for a in (None, "auto"))
    np.testing.assert_array_equal(weights(plain)[0], weights(auto)[0])


def test_a_module_is_copied_with_its_weights(table):
    module = nn.Linear(4, 3)
    before = module.weight.detach().clone()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = NetworkClassifier(network=module, epochs=1, lr=1e-6, random_state=0).fit(*table)
    assert torch.equal(module.weight, before)
    np.testing.assert_allclose(model.network_.weight.detach(), before, atol=1e-4)
    assert torch.equal(clone(model).network.weight, before)


def test_the_embedding_is_what_the_last_layer_sees(table):
    X, y = table
    model = NetworkClassifier(**QUICK).fit(X, y)
    head = model.network_.head
    logits = model.embed(X) @ head.weight.detach().numpy().T + head.bias.detach().numpy()
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), model.predict_proba(X), atol=1e-6)


def test_a_network_without_an_embedding_is_refused(table):
    X, y = table
    model = NetworkClassifier(network=lambda shape, n: nn.Linear(*shape, n), epochs=1, device="cpu").fit(X, y)
    with pytest.raises(DataError, match="has no method embed"):
        model.embed(X)


@pytest.mark.parametrize("model", [NetworkClassifier(epochs=3), NetworkClassifier(epochs=3, hidden=(8,), width=4)])
def test_a_loss_that_rises_far_above_the_first_one_is_an_error_that_names_the_rate(table, model):
    with pytest.raises(DataError, match=r"the loss rose from .* lower lr=1000"):
        model.set_params(lr=1000.0, random_state=0).fit(*table)
