"""Preprocessing: the affine map against linear algebra, its inverse, and what has no inverse."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.preprocessing import StandardScaler

from distillkit import Preprocessing
from distillkit.exceptions import DataError


@pytest.fixture(scope="module")
def whitening():
    """ZCA of real rows, by eigenvectors of their covariance."""
    X = load_wine().data
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    values, vectors = np.linalg.eigh(np.cov(scaled.T))
    return Preprocessing(X.mean(axis=0), X.std(axis=0), vectors @ np.diag(values**-0.5) @ vectors.T, "zca")


def test_standardize_is_what_scikit_learn_does():
    X = load_wine().data
    np.testing.assert_allclose(Preprocessing.standardize(X).transform(X), StandardScaler().fit_transform(X))


def test_standardize_takes_each_pixel_of_images_for_itself():
    X = load_digits().images[:, None].astype(np.float32)
    scaling = Preprocessing.standardize(X)
    flat = StandardScaler().fit_transform(X.reshape(len(X), -1).astype(np.float64))
    np.testing.assert_allclose(scaling.transform(X).reshape(len(X), -1), flat, atol=1e-5)
    assert scaling.transform(X).shape == X.shape


def test_whitened_rows_are_uncorrelated_and_come_back(whitening):
    X = load_wine().data
    Z = whitening.transform(X)
    np.testing.assert_allclose(np.cov(Z.T), np.eye(13), atol=1e-8)
    np.testing.assert_allclose(whitening.inverse_transform(Z), X, rtol=1e-9)


def test_a_rotation_that_is_not_symmetric_is_applied_and_undone_from_the_right_side():
    rng = np.random.RandomState(0)
    rotation, X = rng.normal(size=(3, 3)), rng.normal(size=(7, 3))
    turn = Preprocessing(np.zeros(3), np.ones(3), rotation)
    np.testing.assert_allclose(turn.transform(X), X @ rotation)
    np.testing.assert_allclose(turn.inverse_transform(X @ rotation), X)


@pytest.mark.parametrize(
    ("dtype", "result"), [(np.float32, np.float32), (np.float64, np.float64), (np.uint8, np.float64)]
)
def test_floats_keep_their_dtype_and_integers_become_floats(dtype, result):
    X = np.arange(12).reshape(4, 3).astype(dtype)
    scaling = Preprocessing.standardize(X)
    assert scaling.transform(X).dtype == result
    np.testing.assert_allclose(scaling.inverse_transform(scaling.transform(X)), X, atol=1e-5)


@pytest.mark.parametrize("constant", [0.1, 1e9 / 3, -7.0, 0.0])
def test_constant_features_are_only_centred_though_their_computed_deviation_is_noise(constant):
    X = np.column_stack([np.full(1000, constant), np.arange(1000.0)])
    assert Preprocessing.standardize(X).scale[0] == 1
    assert np.abs(Preprocessing.standardize(X).transform(X)[:, 0]).max() < 1e-6


def test_rows_of_another_width_are_refused():
    with pytest.raises(DataError, match="rows have 3 features, but this preprocessing was fitted on 2"):
        Preprocessing(np.zeros(2), np.ones(2)).transform(np.ones((4, 3)))


@pytest.mark.parametrize(
    ("mean", "scale", "rotation", "words"),
    [
        (np.zeros(2), np.array([1.0, 0.0]), None, "scale is 0 for feature 1"),
        (np.zeros(2), np.ones(3), None, "mean has 2 features"),
        (np.zeros(2), np.ones(2), np.eye(3), r"rotation \(3, 3\)"),
    ],
)
def test_a_map_without_an_inverse_is_refused(mean, scale, rotation, words):
    with pytest.raises(DataError, match=words):
        Preprocessing(mean, scale, rotation)
