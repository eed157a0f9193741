"""Distilled: an estimator for tools that know only scikit-learn, equal to the pipeline."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline as make_sklearn_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from distillkit import Distilled, KMeansCoreset, RandomSubset, make_pipeline
from distillkit.base import BaseDistiller, Outcome
from distillkit.exceptions import DataError


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture
def subset():
    return RandomSubset(budget={0: 5, 1: 10, 2: 20}, random_state=0)


def test_it_is_distilling_and_fitting_by_hand(iris, subset):
    X, y = iris
    model = Distilled(subset, LogisticRegression(max_iter=1000)).fit(X, y)
    rows, labels = clone(subset).fit_resample(X, y)
    alone = LogisticRegression(max_iter=1000).fit(rows, labels, sample_weight=model.distiller_.sample_weight_)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(model, method)(X), getattr(alone, method)(X))
    assert model.score(X, y) == alone.score(X, y)
    weights = np.arange(150.0)
    assert model.score(X, y, sample_weight=weights) == alone.score(X, y, sample_weight=weights)
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert not hasattr(subset, "X_distilled_"), "the distiller given is cloned"


def test_it_scores_as_the_pipeline_does(iris, subset):
    X, y = iris
    model = LogisticRegression(max_iter=1000)
    inside = make_sklearn_pipeline(StandardScaler(), Distilled(RandomSubset(budget=5, random_state=0), model))
    ours = make_pipeline(StandardScaler(), RandomSubset(budget=5, random_state=0), model)
    np.testing.assert_array_equal(cross_val_score(inside, X, y), cross_val_score(ours, X, y))


def test_weights_go_to_the_distiller_and_its_own_to_the_estimator(iris):
    X, y = iris
    weight = np.arange(150.0)
    model = Distilled(KMeansCoreset(budget=3, random_state=0), LogisticRegression(max_iter=1000))
    model.fit(X, y, sample_weight=weight)
    alone = KMeansCoreset(budget=3, random_state=0).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.distiller_.sample_weight_, alone.sample_weight_)
    by_hand = LogisticRegression(max_iter=1000).fit(alone.X_distilled_, alone.y_distilled_, alone.sample_weight_)
    np.testing.assert_array_equal(model.estimator_.coef_, by_hand.coef_)


def test_weights_for_a_distiller_that_takes_none_are_refused(iris):
    class Unweighted(BaseDistiller):
        def _distill(self, rows, run):
            return Outcome(indices=np.array([0]))

    model = Distilled(Unweighted(), LogisticRegression())
    with pytest.raises(DataError, match="distiller=Unweighted cannot use the weights"):
        model.fit(*iris, sample_weight=np.ones(150))


def test_a_model_without_weights_gets_none(iris, subset):
    assert Distilled(subset, KNeighborsClassifier(1)).fit(*iris).estimator_.n_samples_fit_ == 35


def test_it_has_the_methods_of_its_estimator(subset):
    assert not hasattr(Distilled(subset, Ridge()), "predict_proba")
    assert not hasattr(Distilled(subset, SVC()), "predict_proba")
    assert hasattr(Distilled(subset, SVC()), "decision_function")
    assert is_classifier(Distilled(subset, SVC()))
    assert is_regressor(Distilled(subset, Ridge()))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_it_needs_fit(method, subset):
    with pytest.raises(NotFittedError):
        getattr(Distilled(subset, LogisticRegression()), method)(np.ones((2, 4)))
    with pytest.raises(NotFittedError):
        Distilled(subset, LogisticRegression()).score(np.ones((2, 4)), [0, 1])


def test_features_are_those_that_the_distiller_saw(iris):
    X = pd.DataFrame(iris[0], columns=list("abcd"))
    model = Distilled(make_pipeline(PCA(2), RandomSubset(budget=10, random_state=0)), LogisticRegression()).fit(
        X, iris[1]
    )
    assert model.n_features_in_ == 4
    assert list(model.feature_names_in_) == list("abcd")
    assert model.estimator_.n_features_in_ == 2
    assert model.predict(X).shape == (150,)


def test_a_refit_on_arrays_forgets_the_names(iris, subset):
    model = Distilled(subset, LogisticRegression(max_iter=1000)).fit(
        pd.DataFrame(iris[0], columns=list("abcd")), iris[1]
    )
    assert hasattr(model.fit(*iris), "n_features_in_")
    assert not hasattr(model, "feature_names_in_")


def test_frames_raise_no_warning(iris, subset):
    X, y = pd.DataFrame(iris[0], columns=list("abcd")), pd.Series(iris[1]).map({0: "u", 1: "v", 2: "w"})
    distiller = clone(subset).set_params(budget=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Distilled(distiller, LogisticRegression(max_iter=1000)).fit(X, y)
        assert set(model.predict(X)) == {"u", "v", "w"}
        assert model.score(X, y) > 0.85


def test_regression():
    X, y = load_diabetes(return_X_y=True)
    model = Distilled(RandomSubset(budget=0.5, random_state=0), Ridge(alpha=0.1))
    assert cross_val_score(model, X, y).mean() > 0.35


def test_parameters_of_both_can_be_searched(iris):
    model = Distilled(RandomSubset(random_state=0), KNeighborsClassifier(1))
    search = GridSearchCV(model, {"distiller__budget": [1, 0.5], "estimator__n_neighbors": [1, 3]}, cv=3).fit(*iris)
    assert search.best_params_["distiller__budget"] == 0.5


def test_it_stacks_as_any_classifier(iris):
    parts = [
        (str(seed), Distilled(RandomSubset(budget=3, random_state=seed), KNeighborsClassifier(1))) for seed in range(3)
    ]
    stack = StackingClassifier(parts, LogisticRegression(max_iter=1000), cv=3).fit(*iris)
    assert stack.score(*iris) > 0.9


def test_it_survives_pickling(iris, subset):
    model = Distilled(subset, KNeighborsClassifier(1)).fit(*iris)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(iris[0]), model.predict(iris[0]))


@pytest.mark.parametrize(
    ("distiller", "estimator", "name"),
    [
        (StandardScaler(), Ridge(), "distiller"),
        (None, Ridge(), "distiller"),
        (RandomSubset(), None, "estimator"),
        (RandomSubset(), object(), "estimator"),
    ],
)
def test_parts_that_cannot_work_are_refused_by_name(iris, distiller, estimator, name):
    with pytest.raises(ValueError, match=f"'{name}' parameter of Distilled"):
        Distilled(distiller, estimator).fit(*iris)
