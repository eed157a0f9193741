"""Utility and fidelity equal what scikit-learn and the metrics themselves give."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, r2_score
from sklearn.tree import DecisionTreeClassifier

from distillkit import DistilledSet, RandomSubset, report
from distillkit.metrics import floors
from distillkit.reports import _compared_rows
from distillkit.tables import TableEncoder


def test_scores_are_those_of_the_same_model_trained_apart(table, picked):
    (X, y), (X_test, y_test), _ = table
    about = report((X, y), picked, test=(X_test, y_test), estimator=LogisticRegression(), metrics=[])
    encoder = TableEncoder().fit(X)
    rows = {
        "small": (encoder.transform(picked.to_frame()), picked.y, picked.sample_weight),
        "whole": (encoder.transform(X), y, None),
    }
    for side, (numbers, labels, weight) in rows.items():
        model = LogisticRegression().fit(numbers, labels, sample_weight=weight)
        predicted = model.predict(encoder.transform(X_test))
        for name, metric in (("accuracy", accuracy_score), ("balanced accuracy", balanced_accuracy_score)):
            assert about.utility.scores.loc[name, side] == pytest.approx(metric(y_test, predicted))
    share = about.utility.scores.loc["accuracy", "small"]
    expected = np.sqrt(share * (1 - share) / len(y_test))
    assert about.utility.scores.loc["accuracy", "small_error"] == pytest.approx(expected)
    assert about.utility.is_held_out
    assert "held out by you" in about.utility.note


def test_numbers_are_judged_by_r2():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=200)
    about = report(
        (X[:100], y[:100]), (X[:9], y[:9]), test=(X[100:], y[100:]), estimator=LinearRegression(), metrics=[]
    )
    predicted = LinearRegression().fit(X[:9], y[:9]).predict(X[100:])
    assert about.utility.scores.loc["R2", "small"] == pytest.approx(r2_score(y[100:], predicted))
    assert about.utility.scores.loc["R2", "small_error"] > 0


def test_without_held_out_rows_the_test_rows_are_not_published():
    """A tree that knows its rows by heart has no advantage from the published ones."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 4)), rng.integers(0, 2, 400)
    about = report((X, y), (X[:200], y[:200]), estimator=DecisionTreeClassifier(random_state=0), metrics=[])
    assert about.utility.n_test == sum(int(0.25 * np.sum(y[200:] == label)) for label in (0, 1))
    assert about.utility.scores.loc["accuracy", "small"] < 0.75
    assert about.utility.scores.loc["accuracy", "whole"] < 0.75
    assert not about.utility.is_held_out
    assert "The method may have seen them" in about.utility.note


def test_soft_labels_are_learned():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = (X[:, 0] > 0).astype(int)
    soft = np.stack([X[:20, 0] < 0, X[:20, 0] > 0], axis=1).astype(float)
    wrong = DistilledSet(X[:20], 1 - y[:20], soft_labels=soft, classes=np.array([0, 1]))
    about = report((X[:100], y[:100]), wrong, test=(X[100:], y[100:]), metrics=[])
    assert about.utility.scores.loc["accuracy", "small"] > 0.8


def test_fidelity_is_that_of_the_metrics_with_their_floors():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(150, 3)), np.arange(150) % 2
    small = RandomSubset(10, random_state=0).fit(X, y).distilled_
    row = report((X, y), small, metrics=["mmd"]).fidelity.loc["mmd"]
    # The draws depend on the last digits of the rows, so that the encoder standardizes here as well.
    scaled = TableEncoder().fit_transform(pd.DataFrame(X))
    np.testing.assert_allclose(scaled, (X - X.mean(axis=0)) / X.std(axis=0))
    expected = floors("mmd", scaled, y, DistilledSet(scaled[small.indices], small.y, small.sample_weight))
    assert row["value"] == pytest.approx(expected.value)
    assert (row["fresh"], row["fresh_sd"]) == pytest.approx(expected.fresh)
    assert row["z"] == pytest.approx(expected.z)
    assert row["reading"] == "as random rows"


def test_a_sample_of_the_real_rows_is_named_with_its_error(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 2)), np.arange(4000) % 4 == 0
    whole = report((X, y), (X[:50], y[:50]), metrics=["mmd"], draws=2).fidelity.loc["mmd"]
    monkeypatch.setattr(_compared_rows, "_MOST_VALUES", 2000)
    part = report((X, y), (X[:50], y[:50]), metrics=["mmd"], draws=2).fidelity.loc["mmd"]
    assert np.isnan(float(whole["error"] or np.nan))
    assert part["note"].startswith("1,000 of 4,000 real rows were compared.")
    assert abs(part["value"] - whole["value"]) < 6 * part["error"] + 0.01
