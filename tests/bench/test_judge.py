"""The public `evaluate`: the same numbers as scikit-learn by hand, test rows met in the right space."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from distillkit.bench.evaluation import _evaluate as module
from distillkit.bench.evaluation._evaluate import _select_names, evaluate, measure
from distillkit.coresets import KMeansCoreset, RandomSubset
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError, UnknownNameError
from distillkit.utils._preprocessing import Preprocessing


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)


def test_classification_by_hand(iris):
    X, X_test, y, y_test = iris
    small = KMeansCoreset(budget=5, random_state=0).fit(X, y)
    table = evaluate(small, X_test, y_test, evaluators=["knn", "logistic"], metrics=["accuracy", "macro-f1"])
    knn = KNeighborsClassifier(1).fit(small.X_distilled_, small.y_distilled_)
    logistic = LogisticRegression(max_iter=1000).fit(small.X_distilled_, small.y_distilled_, small.sample_weight_)
    assert table.index.tolist() == ["knn", "logistic"]
    for name, model in (("knn", knn), ("logistic", logistic)):
        assert table.loc[name, "accuracy"] == accuracy_score(y_test, model.predict(X_test))
        assert table.loc[name, "macro-f1"] == pytest.approx(f1_score(y_test, model.predict(X_test), average="macro"))


def test_weights_reach_the_model():
    X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 0.0, 6.0])
    weighted = DistilledSet(X, y, sample_weight=np.array([1.0, 1.0, 50.0]), provenance={"task": "regression"})
    by_hand = Ridge(alpha=1.0).fit(X, y, weighted.sample_weight)
    unweighted = Ridge(alpha=1.0).fit(X, y)
    X_test, y_test = np.array([[0.5], [1.5], [3.0]]), np.array([1.0, 4.0, 9.0])
    found = evaluate(weighted, X_test, y_test, evaluators="ridge", metrics="rmse").loc["ridge", "rmse"]
    assert found == pytest.approx(math.sqrt(mean_squared_error(y_test, by_hand.predict(X_test))))
    assert found != pytest.approx(math.sqrt(mean_squared_error(y_test, unweighted.predict(X_test))))


def test_regression_by_hand():
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    small = RandomSubset(budget=60, random_state=0).fit(X, y)
    table = evaluate(small, X_test, y_test, evaluators=["ridge", "knn"])
    ridge = Ridge(alpha=1.0).fit(small.X_distilled_, small.y_distilled_, small.sample_weight_)
    assert table.loc["ridge", "r2"] == pytest.approx(r2_score(y_test, ridge.predict(X_test)))
    assert "accuracy" not in table.columns


def test_all_are_those_of_the_task():
    assert {"ridge", "knn", "forest", "mlp"} <= set(_select_names("evaluator", "all", "regression"))
    assert {"logistic", "knn", "forest", "mlp"} <= set(_select_names("evaluator", "all", "classification"))
    assert "logistic" not in _select_names("evaluator", "all", "regression")
    assert "r2" not in _select_names("metric", "all", "classification")


def test_costs_come_from_the_set(iris):
    X, X_test, y, y_test = iris
    small = RandomSubset(budget=3, random_state=0).fit(X, y)
    table = evaluate(small, X_test, y_test, evaluators="knn")
    line = table.loc["knn"]
    assert (line["rows"], line["compression-rows"]) == (9, 10)
    assert line["bytes"] == 9 * 4 * 8 + 9 * 8
    assert line["compression-bytes"] == pytest.approx(10)
    assert line["seconds-distil"] == small.distilled_.provenance["seconds"]
    assert line["seconds-train"] > 0
    assert "mmd" not in table.columns, "it needs the training rows"


def test_with_the_training_rows_come_metrics_of_the_rows(iris):
    X, X_test, y, y_test = iris
    small = RandomSubset(budget=3, random_state=0).fit(X, y).distilled_
    table = evaluate(small, X_test, y_test, X=X, y=y, evaluators=["knn", "logistic"], metrics=["accuracy", "mmd"])
    by_hand = measure("data", ["mmd"], X, y, small, 0)["mmd"]
    assert table["mmd"].tolist() == [by_hand, by_hand]
    assert by_hand > 0


def test_a_set_that_lives_in_another_space_takes_the_test_rows_there(iris):
    X, X_test, y, y_test = iris
    X, X_test = X * [1, 1000, 1, 0.001], X_test * [1, 1000, 1, 0.001]
    scaling = Preprocessing.standardize(X)
    there = DistilledSet(scaling.transform(X), y, preprocessing=scaling, provenance={"task": "classification"})
    here = DistilledSet(X, y, provenance={"task": "classification"})
    model = KNeighborsClassifier(1).fit(scaling.transform(X), y)
    by_hand = accuracy_score(y_test, model.predict(scaling.transform(X_test)))
    assert evaluate(there, X_test, y_test, evaluators="knn").loc["knn", "accuracy"] == by_hand
    assert evaluate(here, X_test, y_test, evaluators="knn").loc["knn", "accuracy"] < by_hand


@pytest.mark.parametrize("container", [np.asarray, torch.as_tensor])
def test_images_are_flattened_for_models_of_tables(container):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = (y[:, None, None, None] + 0.1 * rng.normal(size=(40, 1, 4, 4))).astype(np.float32)
    small = RandomSubset(budget=3, random_state=0).fit(container(X), y)
    table = evaluate(small, container(X), y, evaluators=["knn", "logistic"], metrics="accuracy")
    assert table["accuracy"].tolist() == [1, 1]


def test_text_labels_and_tables_of_pandas(iris):
    X, X_test, y, y_test = iris
    words = np.array(["setosa", "versicolor", "virginica"])
    frame = pd.DataFrame(X, columns=list("abcd"))
    small = RandomSubset(budget=10, random_state=0).fit(frame, words[y])
    numbers = RandomSubset(budget=10, random_state=0).fit(X, y)
    table = evaluate(small, pd.DataFrame(X_test, columns=list("abcd")), words[y_test], evaluators="knn")
    same = evaluate(numbers, X_test, y_test, evaluators="knn")
    for metric in ("accuracy", "balanced-accuracy", "macro-f1"):
        assert table.loc["knn", metric] == same.loc["knn", metric]


def test_a_random_state_fixes_the_result(iris):
    X, X_test, y, y_test = iris
    small = RandomSubset(budget=4, random_state=0).fit(X, y)
    same = {"evaluators": ["mlp"], "metrics": ["accuracy", "macro-f1"]}
    first, again = (evaluate(small, X_test, y_test, random_state=5, **same) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"evaluators": "knnn"}, UnknownNameError, "unknown evaluator 'knnn': did you mean 'knn'"),
        ({"metrics": ["acuracy"]}, UnknownNameError, "unknown metric 'acuracy': did you mean 'accuracy'"),
        ({"evaluators": ["ridge"]}, DataError, "evaluator 'ridge' does not do classification"),
        ({"metrics": ["r2"]}, DataError, "metric 'r2' does not do classification"),
        ({"task": "clustering"}, DataError, "task='clustering' is not known for this set"),
    ],
)
def test_what_is_refused(iris, options, error, message):
    X, X_test, y, y_test = iris
    small = RandomSubset(budget=1, random_state=0).fit(X, y)
    with pytest.raises(error, match=message):
        evaluate(small, X_test, y_test, **options)


def test_a_set_without_targets_or_task_is_refused(iris):
    X, X_test, y, y_test = iris
    with pytest.raises(DataError, match="needs a DistilledSet, or a fitted distiller, with targets y"):
        evaluate(RandomSubset(budget=5).fit(X), X_test, y_test)
    with pytest.raises(DataError, match="needs a DistilledSet"):
        evaluate(X, X_test, y_test)
    bare = DistilledSet(X, y)
    with pytest.raises(DataError, match="give task='classification'"):
        evaluate(bare, X_test, y_test)
    table = evaluate(bare, X_test, y_test, task="classification", evaluators="knn", metrics=["accuracy", "rows"])
    assert table.loc["knn", "rows"] == len(X)


def test_the_failure_of_a_metric_select_names_it(iris):
    with pytest.raises(ValueError, match="inconsistent") as caught:
        measure("prediction", ["rows", "accuracy"], np.arange(3), np.arange(4))
    assert caught.value.__notes__ == ["while computing the metric accuracy"]


@pytest.mark.parametrize(("shape", "absent"), [((4,), {"convnet", "lenet", "resnet18"}), ((1, 8, 8), set())])
def test_all_evaluators_are_those_that_take_the_kind_of_rows(shape, absent, monkeypatch):
    names = []

    def note(distilled, X_test, spec, task, random_state, **_options):
        names.append(spec.name)
        return module.EvaluationRun(np.zeros(len(X_test), dtype=int), 0.0, 0.0)

    monkeypatch.setattr(module, "train_and_predict", note)
    X, y = np.random.default_rng(0).normal(size=(12, *shape)), np.repeat([0, 1], 6)
    evaluate(RandomSubset(2, random_state=0).fit(X, y), X, y, metrics=["accuracy"])
    assert {"knn", "logistic"} <= set(names)
    assert not absent & set(names)


def test_own_estimators_are_cloned_seeded_and_named_by_their_class():
    X, y = load_wine(return_X_y=True)
    small = RandomSubset(5, random_state=0).fit(X, y)
    forest = RandomForestClassifier(5)
    table = evaluate(small, X, y, evaluators=["knn", forest, RandomForestClassifier(7)], metrics=["accuracy"])
    assert table.index.tolist() == ["knn", "RandomForestClassifier", "RandomForestClassifier-2"]
    assert not hasattr(forest, "estimators_")
    by_hand = RandomForestClassifier(5, random_state=np.random.RandomState(0).randint(2**31 - 1))
    by_hand.fit(small.X_distilled_, small.y_distilled_, small.sample_weight_)
    assert table.loc["RandomForestClassifier", "accuracy"] == by_hand.score(X, y)
    alone = evaluate(small, X, y, evaluators=forest, metrics=["accuracy"])
    assert alone.loc["RandomForestClassifier", "accuracy"] == by_hand.score(X, y)
    with pytest.raises(DataError, match="neither a registered name nor an estimator"):
        evaluate(small, X, y, evaluators=[3])
