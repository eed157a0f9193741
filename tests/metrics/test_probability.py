from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from distillkit import metrics
from distillkit.exceptions import DataError


@pytest.fixture(params=[2, 5])
def predictions(request):
    rng = np.random.default_rng(request.param)
    probabilities = rng.dirichlet(np.full(request.param, 0.5), size=300)
    return rng.integers(0, request.param, 300), probabilities


def test_log_loss_and_brier_score_are_those_of_scikit_learn(predictions):
    y, p = predictions
    labels = np.arange(p.shape[1])
    assert metrics.log_loss(y, p) == pytest.approx(sklearn_log_loss(y, p, labels=labels), rel=1e-12)
    expected = np.mean(np.sum((p - np.eye(len(labels))[y]) ** 2, axis=1))
    assert metrics.brier_score(y, p) == pytest.approx(expected, rel=1e-12)
    if len(labels) == 2:
        assert metrics.brier_score(y, p) == pytest.approx(2 * brier_score_loss(y, p[:, 1]), rel=1e-12)


@pytest.mark.parametrize("n_bins", [1, 10, 15])
def test_the_calibration_error_is_the_sum_over_the_bins(predictions, n_bins):
    y, p = predictions
    expected = 0.0
    for low, high in zip(np.arange(n_bins) / n_bins, np.arange(1, n_bins + 1) / n_bins, strict=True):
        inside = (p.max(axis=1) > low) & (p.max(axis=1) <= high)
        if inside.any():
            gap = np.mean(p.argmax(axis=1)[inside] == y[inside]) - p.max(axis=1)[inside].mean()
            expected += inside.mean() * abs(gap)
    assert metrics.expected_calibration_error(y, p, n_bins=n_bins) == pytest.approx(expected, rel=1e-12)


def test_the_calibration_error_agrees_with_the_calibration_curve_of_scikit_learn():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.5, 1, 2000)
    right = rng.random(2000) < p**2
    observed, predicted = calibration_curve(right, p, n_bins=15)
    counts = np.histogram(p, bins=np.linspace(0, 1, 16))[0]
    expected = np.sum(np.abs(observed - predicted) * counts[counts > 0]) / 2000
    value = metrics.expected_calibration_error(1 - right.astype(int), np.column_stack([p, 1 - p]))
    assert value == pytest.approx(expected, rel=1e-9)
    assert value > 0.05


def test_calibrated_and_certain_predictions():
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(3), size=40_000)
    y = (rng.random(40_000)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
    assert metrics.expected_calibration_error(y, p) < 0.02
    certain = np.eye(3)[y]
    assert metrics.log_loss(y, certain) == metrics.brier_score(y, certain) == 0
    assert metrics.expected_calibration_error(y, certain) == 0
    wrong = np.roll(certain, 1, axis=1)
    assert metrics.brier_score(y, wrong) == 2
    assert metrics.expected_calibration_error(y, wrong) == 1
    assert metrics.log_loss(y, wrong) == pytest.approx(-np.log(np.finfo(float).eps))


def test_a_class_without_a_column_has_probability_zero():
    p = np.array([[0.6, 0.4], [0.5, 0.5]])
    assert metrics.brier_score([0, 2], p) == pytest.approx(((0.16 + 0.16) + (0.25 + 0.25 + 1)) / 2)
    assert metrics.log_loss([0, 2], p) == pytest.approx((-np.log(0.6) - np.log(np.finfo(float).eps)) / 2)
    assert metrics.expected_calibration_error([2], [[0.5, 0.5]]) == 0.5


@pytest.mark.parametrize("metric", ["log_loss", "brier_score", "expected_calibration_error"])
@pytest.mark.parametrize(
    ("y", "p", "match"),
    [
        ([0, 1], [[0.5, 0.5]], "do not fit"),
        ([0.5], [[0.5, 0.5]], "do not fit"),
        ([], np.empty((0, 2)), "do not fit"),
        ([0], [[0.5, 0.6]], "sum to 1"),
        ([0], [[np.nan, 1.0]], "sum to 1"),
        ([0], [[-0.5, 1.5]], "between 0 and 1"),
    ],
)
def test_what_are_no_probabilities(metric, y, p, match):
    with pytest.raises(DataError, match=match):
        getattr(metrics, metric)(y, p)


def test_no_bins():
    with pytest.raises(DataError, match="n_bins=0"):
        metrics.expected_calibration_error([0], [[1.0, 0.0]], n_bins=0)
