from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from distillkit import evaluate
from distillkit.bench.evaluation._probabilities import (
    ClassProbabilities,
    class_probabilities,
    measure_probabilities,
    need_probabilities,
)
from distillkit.distilled import DistilledSet

NAMES = ["log-loss", "brier", "calibration-error"]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    names = np.array([f"digit {label}" for label in y])
    return X[:200], names[:200], X[200:600], names[200:600]


def test_evaluate_hands_over_probabilities_of_all_classes(digits):
    X, y, X_test, y_test = digits
    model = LogisticRegression(max_iter=100).fit(X, y)
    small = DistilledSet(X, y, provenance={"task": "classification"})
    table = evaluate(small, X_test, y_test, evaluators=[LogisticRegression(max_iter=100), LinearSVC()], metrics=NAMES)
    p = model.predict_proba(X_test)
    row = table.loc["LogisticRegression"]
    assert row["log-loss"] == pytest.approx(log_loss(y_test, p, labels=model.classes_), rel=1e-6)
    one_hot = (y_test[:, None] == model.classes_[None, :]).astype(int)
    assert row["brier"] == pytest.approx(
        sum(brier_score_loss(*pair) for pair in zip(one_hot.T, p.T, strict=True)), rel=1e-6
    )
    assert 0 < row["calibration-error"] < 1
    assert table.loc["LinearSVC"].isna().all()  # it has no probabilities


@pytest.mark.parametrize("evaluator", ["knn", "logistic", "mlp"])
def test_registered_evaluators_have_probabilities(evaluator, digits):
    X, y, X_test, y_test = digits
    keep = y != "digit 3"  # a class without distilled rows has probability 0
    small = DistilledSet(X[keep], y[keep], classes=np.unique(y), provenance={"task": "classification"})
    with_class = evaluate(small, X_test, y_test, evaluators=evaluator, metrics=NAMES)
    known = y_test != "digit 3"
    without = evaluate(small, X_test[known], y_test[known], evaluators=evaluator, metrics=NAMES)
    assert np.isfinite(with_class.to_numpy(dtype=float)).all()
    extra = with_class["log-loss"].iloc[0] * len(y_test) - without["log-loss"].iloc[0] * known.sum()
    assert extra == pytest.approx(36.04 * np.sum(~known), rel=1e-3)


def test_network_evaluators_have_probabilities(digits):
    pytest.importorskip("torch")
    from distillkit.evaluators import make_convnet

    X, y, X_test, _ = digits
    model = make_convnet("classification", 0, steps=2, width=4).fit(X.reshape(-1, 1, 8, 8), y)
    values = model.predict_proba(X_test.reshape(-1, 1, 8, 8))
    assert list(model.classes_) == sorted(set(y))
    np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)
    assert (model.classes_[values.argmax(axis=1)] == model.predict(X_test.reshape(-1, 1, 8, 8))).all()
    assert not hasattr(make_convnet("regression", 0), "predict_proba")


def test_columns_are_aligned_by_label():
    X = np.array([[0.0], [1.0], [5.0], [6.0]])
    found = class_probabilities(GaussianNB().fit(X, ["b", "b", "d", "d"]), X, ["a", "b", "c", "d"])
    assert list(found.classes) == ["a", "b", "c", "d"]
    assert not found.values[:, [0, 2]].any()
    assert list(found.codes(["d", "a", "zebra", "0"])) == [3, 0, 4, 4]
    assert class_probabilities(LinearSVC().fit(X, [0, 0, 1, 1]), X, None) is None


def test_probabilities_that_are_none_give_no_value():
    bad = ClassProbabilities(np.full((2, 2), np.nan), np.arange(2))
    assert measure_probabilities([*NAMES, "accuracy"], [0, 1], bad) == dict.fromkeys(NAMES)
    assert measure_probabilities(NAMES, [0, 1], None) == dict.fromkeys(NAMES)
    assert need_probabilities(["accuracy", "brier@1"])
    assert not need_probabilities(["accuracy", "mmd"])


def test_numbers_have_no_probabilities():
    X, y = load_diabetes(return_X_y=True)
    table = evaluate(
        DistilledSet(X[:50], y[:50], provenance={"task": "regression"}), X[50:], y[50:], evaluators="ridge"
    )
    assert not set(NAMES) & set(table.columns)
