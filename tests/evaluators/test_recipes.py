from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_digits
from sklearn.utils.validation import has_fit_parameter

from distillkit import evaluators
from distillkit.exceptions import DataError

CLASSIFIERS = ["logistic", "knn", "forest", "boosting", "mlp"]
REGRESSORS = ["ridge", "knn", "forest", "boosting", "mlp"]
CASES = [(name, "classification") for name in CLASSIFIERS] + [(name, "regression") for name in REGRESSORS]
WEIGHTED = [case for case in CASES if case[0] != "knn"]
# Short trainings, for claims that do not depend on their length; the other tests train as shipped.
QUICK = {
    "mlp": {"steps": 50, "learning_rate": 0.01},
    "forest": {"n_estimators": 20},
    "boosting": {"max_iter": 20},
}


def make(name, task, seed=0, **params):
    return getattr(evaluators, f"make_{name}")(task, seed, **params)


def make_quick(name, task, seed=0):
    return make(name, task, seed, **QUICK.get(name, {}))


@pytest.fixture(scope="module")
def digits():
    """Ten rows of each class, and other rows to be judged by."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.choice(np.flatnonzero(y == label), 10, replace=False) for label in range(10)])
    rest = np.setdiff1d(np.arange(len(X)), rows)
    return X[rows], y[rows], X[rest], y[rest]


@pytest.fixture(scope="module")
def diabetes():
    """Thirty rows, and other rows to be judged by."""
    X, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(X))
    X = ((X - X[order[:30]].mean(axis=0)) / X[order[:30]].std(axis=0)).astype(np.float32)
    return X[order[:30]], y[order[:30]], X[order[30:]], y[order[30:]]


@pytest.fixture
def data(request, digits, diabetes):
    return {"classification": digits, "regression": diabetes}[request.getfixturevalue("task")]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_ten_digits_a_class(name, digits):
    X, y, X_test, y_test = digits
    assert np.mean(make(name, "classification").fit(X, y).predict(X_test) == y_test) > 0.7


@pytest.mark.parametrize("name", REGRESSORS)
def test_thirty_patients_beat_their_mean(name, diabetes):
    X, y, X_test, y_test = diabetes
    errors = np.mean((make(name, "regression").fit(X, y).predict(X_test) - y_test) ** 2)
    assert errors < 0.95 * np.mean((y.mean() - y_test) ** 2)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_one_seed_one_result_to_the_bit(name, task, data):
    X, y, X_test, _ = data
    first, again = (make_quick(name, task, 7).fit(X, y).predict(X_test) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", ["forest", "mlp"])
@pytest.mark.parametrize("task", ["regression"])
def test_another_seed_another_result(name, task, data):
    X, y, X_test, _ = data
    first, other = (make_quick(name, task, seed).fit(X, y).predict(X_test) for seed in (0, 1))
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("name", "task"), CASES)
@pytest.mark.parametrize("n_rows", [1, 2, 3, 10])
def test_few_rows_and_no_warning(name, task, n_rows, data):
    X, y, X_test, _ = data
    rows = np.arange(0, 100, 10)[:n_rows] if task == "classification" else np.arange(n_rows)  # one row per class
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predicted = make(name, task).fit(X[rows], y[rows]).predict(X_test)
    assert predicted.shape == (len(X_test),)
    assert np.isfinite(predicted).all()
    if task == "classification":
        assert set(predicted) <= set(y[rows])
        assert len(set(predicted)) > (n_rows > 1)  # more than one answer, as soon as there is a choice


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_single_class_is_what_is_predicted(name, digits):
    X, _, X_test, _ = digits
    model = make_quick(name, "classification").fit(X, np.full(len(X), 4))
    assert set(model.predict(X_test)) == {4}
    np.testing.assert_array_equal(model.predict_proba(X_test[:3]), np.ones((3, 1)))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_text_labels(name, digits):
    X, y, X_test, y_test = digits
    names = np.array([f"digit {i}" for i in range(10)])
    model = make_quick(name, "classification").fit(X, names[y])
    assert np.mean(model.predict(X_test) == names[y_test]) > 0.7
    assert model.classes_.tolist() == names.tolist()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_probabilities_agree_with_labels(name, digits):
    X, y, X_test, _ = digits
    model = make_quick(name, "classification").fit(X, y)
    probabilities = model.predict_proba(X_test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X_test))
    assert not hasattr(make_quick("knn", "regression"), "predict_proba")


@pytest.mark.parametrize(("name", "task"), CASES)
def test_what_the_harness_and_scikit_learn_ask_of_them(name, task, data):
    X, y, X_test, y_test = data
    model = make_quick(name, task)
    assert has_fit_parameter(model, "sample_weight") == (name != "knn")
    assert (is_classifier(model), is_regressor(model)) == (task == "classification", task == "regression")
    copy = clone(model).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(copy)).predict(X_test), model.fit(X, y).predict(X_test))
    assert 0 < copy.score(X_test, y_test) < 1


@pytest.mark.parametrize(("name", "task"), [("logistic", "classification"), ("ridge", "regression")])
def test_a_weight_is_a_number_of_copies(name, task, data):
    X, y, X_test, _ = data
    copies = np.random.default_rng(0).integers(1, 5, len(X))
    score = "predict_proba" if task == "classification" else "predict"
    weighted = getattr(make(name, task).fit(X, y, sample_weight=copies), score)(X_test)
    repeated = getattr(make(name, task).fit(np.repeat(X, copies, axis=0), np.repeat(y, copies)), score)(X_test)
    plain = getattr(make(name, task).fit(X, y), score)(X_test)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-3, atol=1e-4)
    assert np.abs(weighted - plain).max() > 100 * np.abs(weighted - repeated).max()


@pytest.mark.parametrize(("name", "task"), [case for case in WEIGHTED if case[0] in ("forest", "boosting", "mlp")])
def test_where_ratios_of_weights_count_alone(name, task, data):
    X, y, X_test, _ = data
    weight = np.random.default_rng(0).integers(1, 5, len(X)).astype(float)
    results = [make_quick(name, task).fit(X, y, sample_weight=w).predict(X_test) for w in (weight, 4096 * weight, None)]
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


@pytest.mark.parametrize(("name", "task"), WEIGHTED)
def test_weights_that_stand_for_a_million_rows(name, task, data):
    X, y, X_test, y_test = data
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = make(name, task).fit(X, y, sample_weight=np.full(len(X), 1e6 / len(X)))
    limit = 0.7 if task == "classification" else -1.0  # ridge is then least squares: ten features, thirty rows
    assert model.score(X_test, y_test) > limit


@pytest.mark.parametrize("name", ["logistic", "mlp", "forest", "boosting"])
def test_a_row_of_great_weight_is_heard(name):
    rng = np.random.default_rng(0)
    X, y, new = (
        rng.normal(size=(60, 2)),
        np.repeat([0, 1], 30),
        rng.normal(size=(500, 2)),
    )  # classes that cannot be told
    for label in (0, 1):
        plain, heavy = (
            np.mean(make(name, "classification").fit(X, y, sample_weight=weight).predict(new) == label)
            for weight in (None, np.where(y == label, 50.0, 1.0))
        )
        assert 0.3 < plain < 0.7 < heavy


@pytest.mark.parametrize(("name", "task"), [case for case in WEIGHTED if case[0] != "forest"])
def test_weights_of_zero(name, task, data):
    X, y, _, _ = data
    with pytest.raises(DataError, match="sample_weight is zero for every row"):
        make_quick(name, task).fit(X, y, sample_weight=np.zeros(len(X)))


@pytest.mark.parametrize(
    ("name", "task"),
    [("logistic", "regression"), ("ridge", "classification"), *((name, "ranking") for name in CLASSIFIERS)],
)
def test_a_task_that_a_recipe_cannot_do(name, task):
    with pytest.raises(DataError, match=f"evaluator '{name}' does .*, not task='{task}': choose another"):
        make(name, task)
