"""Weights of training rows in the GAN: rows and labels are drawn in proportion to them."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.base import Group, TrainingRows
from distillkit.synthesis import GANSynthesizer
from distillkit.synthesis._condition import Condition
from distillkit.synthesis._encoding import Codec
from distillkit.synthesis._training import endless_batches


def test_batches_hold_rows_in_proportion_to_their_weights():
    weight = np.random.RandomState(0).uniform(0.1, 4, size=30)
    batches = endless_batches(30, 12, np.random.RandomState(0), weight)
    counts = np.bincount(np.concatenate([next(batches) for _ in range(1000)]), minlength=30)
    np.testing.assert_allclose(counts / counts.sum(), weight / weight.sum(), atol=0.002)


@pytest.mark.parametrize("shape", [(4,), (2, 16)])
def test_the_scales_are_those_of_repeated_rows(shape):
    rng = np.random.RandomState(0)
    X, weight = rng.normal(3, 2, size=(40, *shape)), rng.randint(1, 5, size=40)
    weighted, copies = Codec.of(X, weight.astype(float)), Codec.of(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted.shift, copies.shift)
    np.testing.assert_allclose(weighted.scale, copies.scale)


@pytest.mark.parametrize("unit", [1.0, 0.3])
def test_labels_of_generated_rows_have_the_shares_of_the_weights(unit):
    y = np.repeat(["a", "b"], 10)
    groups = (Group("a", np.arange(10), 1), Group("b", np.arange(10, 20), 1))
    rows = TrainingRows(np.zeros((20, 2)), y, "classification", groups, unit * np.repeat([1.0, 3.0], 10))
    labels = Condition.of(rows).draw(40)
    assert (labels == "b").sum() == 30


def test_numbers_of_generated_rows_have_the_quantiles_of_the_weighted_target():
    y, weight = np.arange(50.0) + 0.5, np.where(np.arange(50) < 25, 1.0, 9.0)
    rows = TrainingRows(np.zeros((50, 2)), y, "regression", (Group(None, np.arange(50), 1),), weight)
    drawn = Condition.of(rows).draw(1000)
    copies = np.repeat(y, weight.astype(int))
    for level in (0.1, 0.3, 0.5, 0.9):
        assert np.quantile(drawn, level) == pytest.approx(np.quantile(copies, level), abs=1.5)


@pytest.mark.filterwarnings("ignore:the generator may not have learned")
def test_weights_change_the_rows_and_are_shared_by_class():
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    options = {"budget": 2, "max_iter": 5, "width": 2, "latent": 4, "batch_size": 8, "pool": 10, "check_every": 2}
    gan = GANSynthesizer(**options, device="cpu", random_state=0)
    plain = gan.fit(X, y).X_distilled_
    weighted = gan.fit(X, y, np.where(y == 0, 5.0, 1.0))
    assert not np.allclose(plain, weighted.X_distilled_)
    np.testing.assert_allclose(weighted.sample_weight_, [75, 75, 15, 15])
