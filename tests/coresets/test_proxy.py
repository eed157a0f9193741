"""Gradients of the last layer: against autograd, finite differences, and models of others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import LinearSVC

from distillkit.base._training_rows import Run, TrainingRows, group_rows
from distillkit.budget import Budget
from distillkit.coresets.shared._features import standardized_rows, standardized_target
from distillkit.coresets.shared._proxy import LastLayer, class_probabilities, last_layer, one_hot
from distillkit.exceptions import DataError
from distillkit.nn import NetworkClassifier, NetworkRegressor


def training_rows(X, y, task):
    return TrainingRows(X, y, task, group_rows(y, len(X), task, Budget(1)))


@pytest.fixture
def classes(table):
    return training_rows(*table, "classification")


@pytest.fixture
def continuous(numbers):
    return training_rows(*numbers, "regression")


def matrices(gradients):
    """Write the gradients out, (n, c (d + 1))."""
    ones = np.column_stack([gradients.inputs, np.ones(len(gradients.inputs))])
    return np.einsum("ia,ij->iaj", gradients.residual, ones).reshape(len(ones), -1)


def test_the_gradient_of_the_default_classifier_is_that_of_autograd(classes):
    inputs = standardized_rows(classes)
    found = last_layer(None, classes, Run())
    strength = 100 / np.square(inputs).sum()
    model = LogisticRegression(C=strength).fit(inputs, classes.y)
    layer = torch.nn.Linear(5, 3, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(model.coef_))
        layer.bias.copy_(torch.tensor(model.intercept_))
    for i in (0, 17, 299):
        layer.zero_grad()
        loss = torch.nn.functional.cross_entropy(layer(torch.tensor(inputs[i : i + 1])), torch.tensor([classes.y[i]]))
        loss.backward()
        expected = torch.cat([layer.weight.grad, layer.bias.grad[:, None]], dim=1).numpy()
        np.testing.assert_allclose(matrices(found)[i].reshape(3, 6), expected, atol=1e-12)


def test_the_gradient_of_the_default_regressor_is_that_of_finite_differences(continuous):
    found = last_layer(None, continuous, Run())
    inputs, y = standardized_rows(continuous), standardized_target(continuous.y)
    model = Ridge(alpha=1.0).fit(inputs, y)
    theta = np.append(model.coef_, model.intercept_)

    def loss(weights, i):
        return 0.5 * (np.append(inputs[i], 1) @ weights - y[i]) ** 2

    for i in (0, 199):
        expected = [(loss(theta + step, i) - loss(theta - step, i)) / 2e-5 for step in 1e-5 * np.eye(5)]
        np.testing.assert_allclose(matrices(found)[i], expected, atol=1e-8)


def test_the_optimum_of_the_default_classifier_has_the_gradient_of_its_penalty(classes):
    # sum_i g_i = -coef / C at the optimum; the bias is free
    gradients, inputs = last_layer(None, classes, Run()), standardized_rows(classes)
    strength = 100 / np.square(inputs).sum()
    coef = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(inputs, classes.y).coef_
    total = gradients.weighted_sum(np.ones(300))
    np.testing.assert_allclose(total[:, -1], 0, atol=0.1)
    np.testing.assert_allclose(total[:, :-1], -coef / strength, atol=0.1)


def test_factors_give_what_the_matrices_give():
    rng = np.random.default_rng(0)
    gradients = LastLayer(rng.normal(size=(9, 3)), rng.normal(size=(9, 4)))
    written = matrices(gradients)
    weight, direction = rng.random(9), rng.normal(size=(3, 5))
    np.testing.assert_allclose(gradients.inner(gradients), written @ written.T)
    np.testing.assert_allclose(gradients.squared_norms(), np.square(written).sum(axis=1))
    np.testing.assert_allclose(gradients.weighted_sum(weight).ravel(), weight @ written)
    np.testing.assert_allclose(gradients.along(direction), written @ direction.ravel())
    np.testing.assert_allclose(matrices(gradients.take(np.array([4, 1]))), written[[4, 1]])


@pytest.mark.parametrize("network", ["mlp", "convnet"])
def test_a_network_of_ours_gives_the_gradient_of_its_head(network):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 1, 8, 8)).astype(np.float32), np.repeat([0, 1], 20)
    rows = training_rows(X, y, "classification")
    options = {"width": 4, "hidden": (6,), "epochs": 2, "device": "cpu"}
    found = last_layer(NetworkClassifier(network=network, **options), rows, Run(random_state=3))
    seed = Run(random_state=3).seed()
    model = NetworkClassifier(network=network, random_state=seed, **options).fit(X, y)
    model.network_.eval()
    for i in (0, 39):
        model.network_.zero_grad()
        logits = model.network_(model._tensor(X[i : i + 1], torch.device("cpu")))
        torch.nn.functional.cross_entropy(logits, torch.tensor([y[i]])).backward()
        head = model.network_.head
        expected = torch.cat([head.weight.grad, head.bias.grad[:, None]], dim=1).numpy()
        np.testing.assert_allclose(matrices(found)[i].reshape(2, -1), expected, atol=1e-5)


def test_a_network_regressor_is_a_proxy_too(continuous):
    proxy = NetworkRegressor(hidden=(6,), epochs=2, device="cpu", random_state=0)
    found = last_layer(proxy, continuous, Run())
    model = proxy.fit(continuous.X, standardized_target(continuous.y))
    np.testing.assert_allclose(found.inputs, model.embed(continuous.X))
    expected = model.predict(continuous.X) - standardized_target(continuous.y)
    np.testing.assert_allclose(found.residual[:, 0], expected)


def test_the_last_layer_of_a_pipeline_sees_what_its_last_step_sees(continuous):
    proxy = make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression())
    found = last_layer(proxy, continuous, Run())
    np.testing.assert_allclose(found.inputs, PolynomialFeatures(2, include_bias=False).fit_transform(continuous.X))
    # least squares with a bias: the gradients of all rows sum to zero
    np.testing.assert_allclose(found.weighted_sum(np.ones(200)), 0, atol=1e-9)


def test_a_proxy_is_cloned_and_seeded_only_where_it_is_not():
    rng = np.random.default_rng(0)
    rows = training_rows(rng.normal(size=(60, 3)), np.repeat([0, 1, 2], 20), "classification")
    open_, fixed = RandomForestClassifier(3), RandomForestClassifier(3, random_state=5)
    first, same, other = (class_probabilities(open_, rows, Run(random_state=seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    expected = RandomForestClassifier(3, random_state=5).fit(rows.X, rows.y).predict_proba(rows.X)
    np.testing.assert_array_equal(class_probabilities(fixed, rows, Run()), expected)
    assert not hasattr(fixed, "classes_")
    assert open_.random_state is None


def test_probabilities_are_in_the_order_of_the_classes():
    rng = np.random.default_rng(0)
    y = np.array(["zebra", "ant", "mole"])[np.repeat([0, 1, 2], 20)]
    X = rng.normal(size=(60, 2)) + 9 * np.repeat([0, 1, 2], 20)[:, None]
    rows = training_rows(X, y, "classification")
    found = class_probabilities(make_pipeline(StandardScaler(), LogisticRegression()), rows, Run())
    assert np.array(["ant", "mole", "zebra"])[found.argmax(axis=1)].tolist() == y.tolist()
    np.testing.assert_allclose(one_hot(rows).argmax(axis=1), found.argmax(axis=1))


def test_one_class_has_nothing_to_learn():
    rows = training_rows(np.arange(6.0).reshape(3, 2), np.array([7, 7, 7]), "classification")
    np.testing.assert_array_equal(last_layer(None, rows, Run()).squared_norms(), 0)


def test_a_proxy_that_cannot_do_it_is_refused_in_words(classes, continuous):
    with pytest.raises(DataError, match="LinearSVC has no predict_proba: give a classifier with probabilities"):
        last_layer(LinearSVC(), classes, Run())
    with pytest.raises(DataError, match="LogisticRegression is a classifier, but y is a continuous target"):
        last_layer(LogisticRegression(), continuous, Run())


@pytest.mark.parametrize("shape", [(300, 5), (300, 1, 5)])
def test_standardized_rows_have_no_units(shape, table):
    X = table[0].reshape(shape)
    expected = standardized_rows(training_rows(X, table[1], "classification"))
    moved = standardized_rows(training_rows(1000 * X + 5, table[1], "classification"))
    np.testing.assert_allclose(moved, expected, atol=1e-9)
    axis = 0 if len(shape) == 2 else None
    np.testing.assert_allclose(expected.mean(axis=axis), 0, atol=1e-12)
    np.testing.assert_allclose(expected.std(axis=axis), 1)


def test_constant_columns_and_targets_are_only_centred():
    X = np.column_stack([np.full(7, 0.1), np.arange(7.0)])
    scaled = standardized_rows(training_rows(X, np.zeros(7, dtype=int), "classification"))
    np.testing.assert_allclose(scaled[:, 0], 0, atol=1e-15)
    np.testing.assert_allclose(standardized_target(np.full(9, 0.1)), 0, atol=1e-15)
