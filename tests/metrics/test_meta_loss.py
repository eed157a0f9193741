from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.tree import DecisionTreeClassifier

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError


def test_the_loss_of_logistic_regression_on_the_training_rows():
    X, y = load_wine(return_X_y=True)
    rows = np.arange(0, 178, 9)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(rows))
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    model = LogisticRegression(max_iter=1000).fit(scaled[rows], y[rows], weight / weight.mean())
    value = metrics.meta_loss(X, y, DistilledSet(X[rows], y[rows], weight))
    assert value == pytest.approx(log_loss(y, model.predict_proba(scaled)), rel=1e-6)
    names = np.array(["a", "b", "c"])[y]
    assert metrics.meta_loss(X, names, DistilledSet(X[rows], names[rows], weight)) == pytest.approx(value, rel=1e-6)


def test_the_loss_of_ridge_regression_as_a_share_of_the_variance():
    X, y = load_diabetes(return_X_y=True)
    scaled, target = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    model = Ridge().fit(scaled[:40], target[:40])
    value = metrics.meta_loss(X, y, DistilledSet(X[:40], y[:40], provenance={"task": "regression"}))
    assert value == pytest.approx(np.mean((model.predict(scaled) - target) ** 2), rel=1e-9)


def test_soft_labels_are_learned():
    X, y = load_wine(return_X_y=True)
    rows = np.arange(0, 178, 9)
    hard = DistilledSet(X[rows], y[rows])
    certain = DistilledSet(X[rows], y[rows], soft_labels=np.eye(3)[y[rows]])
    value = metrics.meta_loss(X, y, hard)
    assert metrics.meta_loss(X, y, certain) == pytest.approx(value, rel=1e-3)
    uniform = DistilledSet(X[rows], y[rows], soft_labels=np.full((len(rows), 3), 1 / 3))
    assert metrics.meta_loss(X, y, uniform) == pytest.approx(np.log(3), rel=1e-3)


def test_missing_classes_cost_and_are_named_and_other_models_are_taken():
    X, y = load_wine(return_X_y=True)
    missing = metrics.meta_loss(X, y, DistilledSet(X[:100], y[:100]))
    assert missing > np.mean(y == 2) * 36
    assert "[2]" in missing.note
    tree = metrics.meta_loss(X, y, DistilledSet(X, y), model=DecisionTreeClassifier())
    assert tree == 0
    with pytest.raises(DataError, match="at least two classes"):
        metrics.meta_loss(X, y, DistilledSet(X[:5], y[:5]))
    with pytest.raises(DataError, match="need targets"):
        metrics.meta_loss(X, None, DistilledSet(X[:5]))
