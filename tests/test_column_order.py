"""The columns of a frame are found by their names, or a frame in another order is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from distillkit import KCenterCoreset, SoftLabels, StreamingCoreset, TeacherStudentDistiller, evaluate, metrics
from distillkit.coresets import certify
from distillkit.exceptions import DataError

CONTAINERS = ["pandas", "polars", "pyarrow"]


@pytest.fixture
def iris():
    return load_iris(as_frame=True, return_X_y=True)


@pytest.fixture
def small(iris):
    return KCenterCoreset(budget=6).fit(*iris).distilled_


def in_another_order(X: pd.DataFrame, container: str):
    """Return the columns in reverse order, in a frame of the container."""
    X = X[X.columns[::-1]]
    if container == "polars":
        return pytest.importorskip("polars").from_pandas(X)
    return X if container == "pandas" else pytest.importorskip("pyarrow").Table.from_pandas(X, preserve_index=False)


@pytest.mark.parametrize("container", CONTAINERS)
def test_evaluate_finds_columns_by_name(iris, small, container):
    X, y = iris
    options = {"evaluators": [LogisticRegression(max_iter=500)], "metrics": ["accuracy", "mmd"], "y": y}
    other = in_another_order(X, container)
    pd.testing.assert_frame_equal(
        evaluate(small, other, y, X=other, **options), evaluate(small, X.to_numpy(), y, X=X.to_numpy(), **options)
    )


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", ["mmd", "wasserstein", "sliced_wasserstein", "coverage", "coreset_error"])
def test_data_metrics_find_columns_by_name(iris, small, container, name):
    X, y = iris
    metric = getattr(metrics, name)
    # Sums over the columns of arrays of another memory layout are rounded in another order.
    found = metric(in_another_order(X, container), y, small)
    assert found == pytest.approx(metric(X.to_numpy(), y, small), rel=1e-12)


@pytest.mark.parametrize("container", CONTAINERS)
def test_certificates_and_prefixes_find_columns_by_name(iris, small, container):
    X, y = iris
    other = in_another_order(X, container)
    assert certify(small, other, y).error == pytest.approx(certify(small, X.to_numpy(), y).error, rel=1e-9)
    np.testing.assert_array_equal(
        small.prefix(2, other, y).sample_weight, small.prefix(2, X.to_numpy(), y).sample_weight
    )


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_set_encodes_and_transforms_by_name(iris, small, container):
    other = in_another_order(iris[0], container)
    np.testing.assert_array_equal(small.encode(other), iris[0].to_numpy())
    np.testing.assert_array_equal(np.asarray(small.transform(other)), iris[0].to_numpy())


def test_other_columns_are_refused_with_their_names(iris, small):
    X, y = iris
    renamed = X.rename(columns={"petal width (cm)": "width"})
    with pytest.raises(DataError, match=r"X lacks 'petal width \(cm\)' and has also 'width'"):
        certify(small, renamed, y)
    with pytest.raises(DataError, match="X has also 'target'"):
        small.prefix(2, X.assign(target=y), y)


@pytest.mark.parametrize("container", CONTAINERS)
def test_estimators_refuse_columns_in_another_order(iris, container):
    X, y = iris
    other = in_another_order(X, container)
    small = {"epochs": 1, "random_state": 0}
    fitted = [
        KCenterCoreset(budget=3).fit(X, y),
        SoftLabels(KCenterCoreset(budget=3), LogisticRegression(max_iter=500)).fit(X, y),
        StreamingCoreset(budget=3, random_state=0).fit(X, y),
    ]
    for estimator in fitted:
        with pytest.raises(ValueError, match="Feature names must be in the same order"):
            estimator.transform(other)
    student = TeacherStudentDistiller(LogisticRegression(max_iter=500), **small).fit(X, y)
    for method in (student.predict, student.predict_proba, student.transform):
        with pytest.raises(ValueError, match="Feature names must be in the same order"):
            method(other)


@pytest.mark.parametrize("container", CONTAINERS)
def test_streaming_refuses_a_chunk_in_another_order(iris, container):
    X, y = iris
    stream = StreamingCoreset(budget=3, task="classification", random_state=0).partial_fit(X[:75], y[:75])
    with pytest.raises(DataError, match=r"(?s)chunk 2: .*in the same order"):
        stream.partial_fit(in_another_order(X[75:], container), y[75:])
