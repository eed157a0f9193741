from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_digits

from distillkit import KMeansCoreset, metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError, UnknownNameError
from distillkit.metrics import Measured, Reference


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def test_a_measured_value_is_a_float_that_keeps_what_is_known_of_it():
    value = Measured(0.5, error=0.1, interval=(0.3, 0.7), note="A note.", features="pca:0")
    assert value == 0.5
    assert isinstance(value, float)
    for same in (copy.copy(value), pickle.loads(pickle.dumps(value))):
        assert (same, same.error, same.interval, same.note, same.features) == (0.5, 0.1, (0.3, 0.7), "A note.", "pca:0")
    assert Measured(1).error is None


@pytest.mark.parametrize("features", [None, "rows", "pca"])
def test_parts_are_the_rows_of_each_class(digits, features):
    X, y = digits
    reference = Reference(X.reshape(-1, 1, 8, 8), y)
    whole = reference.features(features)
    assert reference.features(features) is whole
    for label, part in enumerate(reference.parts(features)):
        np.testing.assert_array_equal(part.X, whole[y == label])
        np.testing.assert_array_equal(part.positions, np.flatnonzero(y == label))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_rows_left_out_are_those_of_arrays_without_them(digits, task):
    X, y = digits
    y = y.astype(float) if task == "regression" else y
    rng = np.random.default_rng(0)
    first, second = rng.choice(len(X), 100, replace=False), rng.choice(len(X) - 100, 50, replace=False)
    reference = Reference(X, y, task=task).without(first).without(second)
    kept = np.delete(np.delete(np.arange(len(X)), first), second)
    np.testing.assert_array_equal(reference.kept, kept)
    np.testing.assert_array_equal(reference.X, X[kept])
    np.testing.assert_array_equal(reference.y, y[kept])
    assert len(reference) == len(kept) == sum(len(part) for part in reference.parts())
    np.testing.assert_array_equal(
        np.sort(np.concatenate([part.positions[part.kept] for part in reference.parts()])), kept
    )
    expected = reference.root.features("rows")[kept]
    np.testing.assert_array_equal(reference.features("rows"), expected)
    for part in reference.parts("rows"):
        np.testing.assert_array_equal(part.X[:, :64], reference.root.features("rows")[part.positions[part.kept]])


def test_a_class_of_which_all_rows_are_left_out_has_an_empty_part():
    reference = Reference(np.arange(6.0)[:, None], np.array([0, 0, 1, 1, 1, 1])).without([0, 1])
    assert [len(part) for part in reference.parts()] == [0, 4]
    small = DistilledSet(np.array([[2.0], [4.0]]), np.array([1, 1]), classes=np.arange(2))
    assert metrics.mmd(reference, None, small) == pytest.approx(
        metrics.mmd(np.arange(2.0, 6)[:, None], np.ones(4, int), small), rel=0.5
    )


def test_the_keys_follow_the_rows_and_not_their_order(digits):
    X, y = digits
    order = np.random.default_rng(1).permutation(len(X))
    reference, shuffled = Reference(X, y), Reference(X[order], y[order])
    np.testing.assert_array_equal(shuffled.keys, reference.keys[order])
    np.testing.assert_array_equal(reference.without([3]).keys, np.delete(reference.keys, 3))
    assert shuffled.extractor("pca").identity == reference.extractor("pca").identity
    assert shuffled.extractor("pca").identity != Reference(X[1:], y[1:]).extractor("pca").identity


def test_principal_components_are_those_of_scikit_learn(digits):
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    X = digits[0].astype(np.float64)
    expected = PCA(64).fit_transform(StandardScaler().fit_transform(X))
    found = Reference(X).features("pca")
    np.testing.assert_allclose(
        np.abs(found[:, :20]),
        np.abs(expected[:, :20]) / expected.std(axis=0).mean() ** 0 / np.sqrt(expected.var(axis=0).mean()),
        rtol=1e-6,
        atol=1e-9,
    )
    assert found.var(axis=0).mean() == pytest.approx(1)


def test_a_frame_is_encoded_as_the_set_is():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    small = KMeansCoreset(20, random_state=0).fit(X, y).distilled_
    value = metrics.mmd(X, y, small)
    assert metrics.mmd(X[X.columns[::-1]], y, small) == pytest.approx(value, rel=1e-9)
    assert metrics.mmd(Reference(X.to_numpy(), y, task="regression"), None, small) == pytest.approx(value, rel=1e-9)
    assert isinstance(X, pd.DataFrame)


def test_what_cannot_be_a_reference():
    X = np.ones((4, 2))
    with pytest.raises(DataError, match="there are 4 training rows: give one each"):
        Reference(X, [0, 1])
    with pytest.raises(DataError, match="hold NaN or infinite values: drop or fill"):
        Reference(X * np.nan)
    with pytest.raises(DataError, match="at least one row"):
        Reference(np.ones(4))
    with pytest.raises(DataError, match="all 4 training rows would be left out"):
        Reference(X).without(range(4))
    with pytest.raises(DataError, match="cannot be left out of 4"):
        Reference(X).without([4])
    with pytest.raises(DataError, match="has no targets, but the reference has"):
        metrics.mmd(Reference(X, [0, 1, 0, 1]), None, DistilledSet(X))
    with pytest.raises(UnknownNameError, match="did you mean 'pca'"):
        metrics.mmd(X, None, DistilledSet(X), features="pcas")
    with pytest.raises(DataError, match="weights of the distilled rows must be finite"):
        metrics.mmd(X, None, DistilledSet(X, sample_weight=[1, 1, 1, np.nan]))
