from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from distillkit.evaluators import _networks, make_convnet, make_lenet, make_resnet18
from distillkit.evaluators._networks import NetworkEvaluator
from distillkit.exceptions import DataError


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    X = (X / 16).reshape(-1, 1, 8, 8).astype(np.float32)
    return X[:60], y[:60], X[600:900], y[600:900]


def test_convnet_learns_small_images_and_repeats_itself(digits):
    X, y, X_test, y_test = digits
    models = [make_convnet("classification", 3, width=16, steps=80).fit(X, y) for _ in range(2)]
    assert models[0].score(X_test, y_test) > 0.5
    np.testing.assert_array_equal(
        models[0].estimator_.predict_proba(X_test), models[1].estimator_.predict_proba(X_test)
    )


def test_convnet_takes_series_and_numbers():
    t = np.linspace(0, 1, 24)
    pace = np.random.RandomState(0).uniform(1, 4, size=80)
    X = np.sin(2 * np.pi * pace[:, None] * t)[:, None, :].astype(np.float32)
    model = make_convnet("regression", 0, width=8, steps=200).fit(X[:60], pace[:60])
    assert model.score(X[60:], pace[60:]) > 0.5


def test_soft_labels_that_say_what_hard_ones_say_teach_the_same(digits):
    X, y, X_test, _ = digits
    classes = np.unique(y)
    one_hot = (y[:, None] == classes).astype(float)
    hard = make_convnet("classification", 0, width=8, steps=20).fit(X, y)
    soft = make_convnet("classification", 0, width=8, steps=20).fit(X, y, soft_labels=one_hot)
    np.testing.assert_allclose(hard.estimator_.predict_proba(X_test), soft.estimator_.predict_proba(X_test), atol=1e-2)


def test_weights_count_in_the_quick_protocol_only(digits):
    X, y, X_test, _ = digits
    weight = np.where(y < 5, 10.0, 0.1)

    def probabilities(protocol, sample_weight):
        recipe = NetworkEvaluator("convnet", protocol=protocol, width=4, steps=3, random_state=0)
        settings = recipe._settings(X.shape)
        recipe._settings = lambda _: {**settings, "epochs": 2}
        return recipe.fit(X, y, sample_weight=sample_weight).estimator_.predict_proba(X_test)

    assert not np.array_equal(probabilities("quick", None), probabilities("quick", weight))
    np.testing.assert_array_equal(probabilities("standard", None), probabilities("standard", weight))


def test_the_standard_protocol_is_the_literatures():
    settings = NetworkEvaluator("convnet", protocol="standard")._settings((10, 1, 28, 28))
    assert settings == {
        "network": "convnet", "width": 128, "depth": 3, "batch_size": 256, "epochs": 1000, "optimizer": "sgd", "lr": 0.01,
        "schedule": "step", "augment": "auto",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("protocol", "channels", "epochs", "augment"),
    [
        ("siamese", 1, 1000, ("color", "crop", "cutout", "scale", "rotate")),
        ("siamese", 3, 1000, ("color", "crop", "cutout", "flip", "scale", "rotate")),
        ("plain", 1, 300, None),
    ],
)
def test_the_other_recipes_of_the_literature_differ_in_epochs_and_augmentation(protocol, channels, epochs, augment):
    settings = NetworkEvaluator("convnet", protocol=protocol)._settings((10, channels, 28, 28))
    standard = NetworkEvaluator("convnet", protocol="standard")._settings((10, channels, 28, 28))
    assert settings == standard | {"epochs": epochs, "augment": augment}


def test_siamese_augmentation_trains_and_leaves_series_alone(digits, monkeypatch):
    monkeypatch.setattr(_networks, "_MOST_UPDATES", 30)
    X, y, X_test, _ = digits
    model = make_convnet("classification", 0, protocol="siamese", width=8).fit(X, y)
    assert model.estimator_.augment == ("color", "crop", "cutout", "scale", "rotate")
    assert set(model.predict(X_test)) <= set(y)
    assert NetworkEvaluator("convnet", protocol="siamese")._settings((10, 1, 40))["augment"] is None


@pytest.mark.parametrize(("n_rows", "epochs"), [(10, 300), (128, 300), (129, 150), (60_000, 2)])
def test_the_quick_protocol_counts_updates(n_rows, epochs):
    assert NetworkEvaluator("convnet")._settings((n_rows, 1, 28, 28))["epochs"] == epochs


@pytest.mark.parametrize("make", [make_lenet, make_resnet18])
def test_other_networks_train(make):
    rng = np.random.RandomState(0)
    X, y = rng.rand(12, 1, 16, 16).astype(np.float32), np.arange(12) % 2
    X[y == 1, :, :8] += 2
    model = make("classification", 0, steps=15)
    assert model.fit(X, y).score(X, y) >= 0.75


def test_what_does_not_fit_is_refused(digits):
    X, y, _, _ = digits
    with pytest.raises(DataError, match=r"protocol='slow' is not known"):
        make_convnet("classification", 0, protocol="slow").fit(X, y)
    with pytest.raises(DataError, match="too small for LeNet"):
        make_lenet("classification", 0).fit(X, y)
    with pytest.raises(DataError, match="task='regression' has none"):
        make_convnet("regression", 0).fit(X, y.astype(float), soft_labels=np.eye(60))
    with pytest.raises(DataError, match="choose another evaluator"):
        make_convnet("ranking", 0)
