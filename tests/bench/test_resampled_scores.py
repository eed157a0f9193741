"""Metrics on resampled test rows, against scikit-learn called on every resample."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit import metrics
from distillkit.bench.leaderboard._resampled_scores import MAX_DRAWS, ResampledRows

CLASSIFICATION = {
    "accuracy": metrics.accuracy,
    "balanced-accuracy": metrics.balanced_accuracy,
    "macro-f1": metrics.macro_f1,
}
REGRESSION = {"r2": metrics.r2, "rmse": metrics.rmse}


def brute_force(rows: ResampledRows, function, predictions: np.ndarray) -> np.ndarray:
    return np.array([[function(rows.targets[i], one[i]) for i in rows.indices[:40]] for one in predictions])


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_scores_of_labels_are_those_of_each_resample(name: str) -> None:
    rng = np.random.default_rng(0)
    targets = rng.choice(4, 30, p=[0.5, 0.3, 0.15, 0.05])  # some resamples lack the last class
    predictions = np.where(rng.random((3, 30)) < 0.7, targets, rng.integers(0, 5, (3, 30)))  # 4 is no class
    rows = ResampledRows(targets)
    assert any(3 not in targets[i] for i in rows.indices[:40])
    expected = brute_force(rows, CLASSIFICATION[name], predictions)
    assert rows.scores(name, predictions)[:, :40] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", REGRESSION)
def test_scores_of_numbers_are_those_of_each_resample(name: str) -> None:
    rng = np.random.default_rng(1)
    targets = 1000 + rng.normal(size=25)  # a mean far from zero cancels in the variance
    predictions = targets + rng.normal(0, 0.5, (2, 25))
    rows = ResampledRows(targets)
    expected = brute_force(rows, REGRESSION[name], predictions)
    assert rows.scores(name, predictions)[:, :40] == pytest.approx(expected, rel=1e-4)


def test_other_metrics_are_called_on_fewer_resamples() -> None:
    rng = np.random.default_rng(2)
    targets, predictions = rng.normal(size=20), rng.normal(size=(2, 20))

    def median_error(true: np.ndarray, predicted: np.ndarray) -> float:
        return float(np.median(np.abs(true - predicted)))

    rows = ResampledRows(targets)
    scores = rows.scores("median-error", predictions, median_error)
    assert 100 <= scores.shape[1] < MAX_DRAWS
    assert scores[:, :40] == pytest.approx(brute_force(rows, median_error, predictions))
    with pytest.raises(ValueError, match="has no fast formula: give its function"):
        rows.scores("median-error", predictions)


def test_weights_count_the_rows_of_each_resample_and_many_rows_have_fewer_resamples() -> None:
    rows = ResampledRows(np.arange(50))
    assert rows.weights.shape == (50, MAX_DRAWS)
    assert (rows.weights.sum(axis=0) == 50).all()
    assert rows.weights[:, 7].tolist() == np.bincount(rows.indices[7], minlength=50).tolist()
    assert ResampledRows(np.zeros(100_000)).draws == 200
