from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from distillkit import metrics


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    y_true = np.repeat([0, 1, 2], [50, 30, 5])
    return y_true, np.where(rng.random(85) < 0.6, y_true, rng.integers(0, 3, 85))


def f1(y_true, y_pred, label):
    hits = np.sum((y_true == label) & (y_pred == label))
    return 2 * hits / (np.sum(y_true == label) + np.sum(y_pred == label))


def test_labels_by_hand(labels):
    y_true, y_pred = labels
    assert metrics.accuracy(y_true, y_pred) == pytest.approx(np.mean(y_true == y_pred))
    recalls = [np.mean(y_pred[y_true == label] == label) for label in range(3)]
    assert metrics.balanced_accuracy(y_true, y_pred) == pytest.approx(np.mean(recalls))
    assert metrics.macro_f1(y_true, y_pred) == pytest.approx(np.mean([f1(y_true, y_pred, label) for label in range(3)]))


def test_text_labels(labels):
    names = np.array(["ant", "bee", "cat"])
    for metric in (metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1):
        assert metric(*(names[codes] for codes in labels)) == metric(*labels)


@pytest.mark.parametrize("y_pred", [[0] * 6, [7] * 6, [0, 0, 1, 1, 7, 7]])
def test_labels_absent_on_either_side_give_no_warning(y_pred):
    y_true, y_pred = np.array([0, 0, 1, 1, 2, 2]), np.array(y_pred)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        balanced, macro = metrics.balanced_accuracy(y_true, y_pred), metrics.macro_f1(y_true, y_pred)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert balanced == pytest.approx(balanced_accuracy_score(y_true, y_pred))
    both = np.union1d(y_true, y_pred)
    assert macro == pytest.approx(np.mean([f1(y_true, y_pred, label) for label in both]))


def test_numbers_by_hand():
    rng = np.random.default_rng(1)
    y_true, y_pred = rng.normal(size=20), rng.normal(size=20)
    errors = np.sum((y_true - y_pred) ** 2)
    assert metrics.r2(y_true, y_pred) == pytest.approx(1 - errors / np.sum((y_true - y_true.mean()) ** 2))
    assert metrics.rmse(y_true, y_pred) == pytest.approx(np.sqrt(errors / 20))
    assert metrics.r2(y_true, y_true) == 1.0
    assert metrics.rmse(y_true, y_true) == 0.0


@pytest.mark.parametrize("metric", [metrics.r2, metrics.rmse])
def test_a_model_that_predicts_nan_is_an_error(metric):
    with pytest.raises(ValueError, match="NaN"):
        metric([1.0, 2.0], [1.0, np.nan])


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float16])
def test_errors_of_every_type_of_numbers(dtype):
    y_true, y_pred = np.array([0, 3, 120]), np.array([120, 2, 5])
    for metric in (metrics.rmse, metrics.r2):
        expected = metric(y_true.astype(float), y_pred.astype(float))
        assert metric(y_true.astype(dtype), y_pred.astype(dtype)) == pytest.approx(expected, rel=1e-12)
    half = np.array([0, 6e4], dtype=np.float16)
    assert metrics.rmse(half, half[::-1]) == 60_000
