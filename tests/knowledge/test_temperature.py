from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax as scipy_softmax
from sklearn.ensemble import RandomForestClassifier

from distillkit.knowledge._temperature import apply_temperature, logits_of, mixed_labels, softmax, with_floor


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
def test_softening_is_the_power_of_the_probabilities(temperature):
    p = np.random.default_rng(0).dirichlet(np.ones(5), size=30)
    expected = p ** (1 / temperature)
    np.testing.assert_allclose(apply_temperature(p, temperature), expected / expected.sum(1, keepdims=True), rtol=1e-6)


def test_softening_is_a_softened_softmax_of_any_logits():
    z = np.random.default_rng(0).normal(size=(20, 4)) * 2
    np.testing.assert_allclose(
        apply_temperature(scipy_softmax(z, axis=1), 3.0), scipy_softmax((z + 7) / 3, axis=1), rtol=1e-6
    )


def test_the_power_of_a_forest(table):
    X, y = table
    p = RandomForestClassifier(20, max_depth=3, random_state=0).fit(X, y).predict_proba(X)
    assert (p == 0).any()
    expected = p**0.25
    np.testing.assert_allclose(apply_temperature(p, 4.0), expected / expected.sum(1, keepdims=True), atol=1e-12)


def test_certainty_stays_finite():
    logits = logits_of(np.array([[1.0, 0.0]]))
    assert np.isfinite(logits).all()
    np.testing.assert_allclose(softmax(logits), [[1, 0]], atol=1e-12)
    assert np.isfinite(with_floor(logits)).all()


@pytest.mark.parametrize("temperature", [1.0, 4.0, 20.0])
def test_a_certain_row_of_many_classes_stays_certain(temperature):
    np.testing.assert_allclose(apply_temperature(np.eye(100)[:3], temperature), np.eye(100)[:3], atol=1e-12)


def test_softmax_of_large_logits():
    np.testing.assert_allclose(
        softmax(np.array([[1e4, 1e4 - 1.0]])), torch.softmax(torch.tensor([[1.0, 0]]), 1), rtol=1e-6
    )


def test_mixed_targets():
    z = np.random.default_rng(0).normal(size=(3, 2))
    given = mixed_labels(np.array([0, 1, 1]), z, 2, 4.0, 0.3)
    np.testing.assert_allclose(given, 0.3 * np.array([[1, 0], [0, 1], [0, 1]]) + 0.7 * scipy_softmax(z / 4, axis=1))
    np.testing.assert_allclose(given.sum(1), 1)
    np.testing.assert_array_equal(mixed_labels(np.array([1]), None, 2, 4.0, 1.0), [[0, 1]])
    np.testing.assert_allclose(mixed_labels(None, z, 2, 4.0, 0.0), scipy_softmax(z / 4, axis=1))
