"""The k-means coreset of dask arrays and frames."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit import KMeansCoreset
from distillkit.exceptions import BudgetError, DataError

array = pytest.importorskip("dask.array")


@pytest.fixture(autouse=True)
def _in_this_thread():
    import dask

    with dask.config.set(scheduler="synchronous"):
        yield


def rows(n=600):
    rng = np.random.default_rng(0)
    y = np.array(["a", "b", "c"])[rng.integers(3, size=n)]
    return (rng.normal(size=(n, 4)) + 4 * (y == "b")[:, None]).astype(np.float32), y


def test_classes_are_clustered_as_in_memory():
    X, y = rows()
    chunked = KMeansCoreset(3, n_init=3, random_state=0).fit(array.from_array(X, chunks=(130, 4)), y)
    alone = KMeansCoreset(3, n_init=3, random_state=0).fit(X, y)
    assert chunked.y_distilled_.tolist() == alone.y_distilled_.tolist() == ["a"] * 3 + ["b"] * 3 + ["c"] * 3
    assert chunked.X_distilled_.dtype == np.float32
    assert chunked.sample_weight_.sum() == len(X)
    for mine, other in zip(chunked.history_, alone.history_, strict=True):
        assert mine["rows"] == other["rows"]
        assert mine["inertia"] <= other["inertia"] * 1.05
    provenance = chunked.distilled_.provenance
    assert provenance["offset"] == pytest.approx(sum(record["inertia"] for record in chunked.history_))
    assert (provenance["rows_seen"], provenance["class_rows"]) == (600, alone.distilled_.provenance["class_rows"])


def test_members_are_training_rows():
    X, y = rows()
    fitted = KMeansCoreset({"a": 2, "b": 1, "c": 4}, representative="member", random_state=0)
    fitted.fit(array.from_array(X, chunks=(130, 4)), array.from_array(y, chunks=50))
    assert np.array_equal(X[fitted.sample_indices_], fitted.X_distilled_)
    assert np.array_equal(y[fitted.sample_indices_], fitted.y_distilled_)
    assert len(set(fitted.sample_indices_)) == 7


def test_images_and_weights():
    X, _ = rows()
    images, weights = X.reshape(-1, 1, 2, 2), np.arange(600) % 3
    fitted = KMeansCoreset(5, random_state=0).fit(
        array.from_array(images, chunks=(100, 1, 1, 2)), sample_weight=array.from_array(weights, chunks=100)
    )
    assert fitted.X_distilled_.shape == (5, 1, 2, 2)
    assert fitted.sample_weight_.sum() == weights.sum()
    assert fitted.transform(images).shape == images.shape


def test_frames_keep_their_names():
    frames = pytest.importorskip("dask.dataframe")
    import pandas as pd

    X, y = rows(90)
    table = frames.from_pandas(pd.DataFrame(X, columns=list("pqrs")).assign(label=y), npartitions=3)
    fitted = KMeansCoreset(2, random_state=0).fit(table[list("pqrs")], table["label"])
    assert fitted.feature_names_in_.tolist() == list("pqrs")
    assert fitted.y_distilled_.tolist() == ["a", "a", "b", "b", "c", "c"]


@pytest.mark.parametrize(
    ("params", "y", "error", "message"),
    [
        ({"spherical": True}, None, DataError, "spherical=True needs all rows in memory"),
        ({"task": "regression"}, np.arange(600), DataError, "task='regression' needs all rows in memory"),
        ({}, np.arange(600) / 7, DataError, "600 different numbers, a continuous target"),
        ({"budget": 601}, None, BudgetError, "601"),
        ({"max_iter": 0}, None, ValueError, "max_iter"),
    ],
)
def test_what_cannot_be_clustered_is_refused(params, y, error, message):
    X = array.from_array(rows()[0], chunks=(130, 4))
    with pytest.raises(error, match=message):
        KMeansCoreset(**{"budget": 3, "random_state": 0, **params}).fit(X, y)
