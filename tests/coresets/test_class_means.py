"""ClassMeans: the mean of each class, bin or everything."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.coresets import ClassMeans


def test_rows_are_the_class_means_and_weights_the_class_sizes(table):
    X, y = table
    model = ClassMeans().fit(X, y)
    np.testing.assert_allclose(model.X_distilled_, [X[y == c].mean(axis=0) for c in range(3)], rtol=1e-12)
    assert model.y_distilled_.tolist() == [0, 1, 2]
    assert model.sample_weight_.tolist() == [180, 90, 30]


def test_without_labels_there_is_one_mean(table):
    np.testing.assert_allclose(ClassMeans().fit_transform(table[0]), [table[0].mean(axis=0)], rtol=1e-12)


@pytest.mark.parametrize("bins", [1, 3, 10, 200, 1000])
def test_quantile_bins_of_a_continuous_target(numbers, bins):
    X, y = numbers
    model = ClassMeans(bins=bins).fit(X, y)
    parts = np.array_split(np.argsort(y, kind="stable"), min(bins, 200))
    np.testing.assert_allclose(model.X_distilled_, [X[part].mean(axis=0) for part in parts], rtol=1e-12)
    np.testing.assert_allclose(model.y_distilled_, [y[part].mean() for part in parts], rtol=1e-12)
    assert model.sample_weight_.tolist() == [len(part) for part in parts]


def test_float32_rows_are_summed_in_float64():
    X = np.full((200_000, 1), 0.1, dtype=np.float32)
    X[::2] = 1000.1
    mean = X.astype(np.float64).mean()
    assert ClassMeans().fit(X).X_distilled_[0, 0] == np.float32(mean)


def test_the_means_of_integer_images_are_not_rounded():
    X, y = np.array([[[0, 255]], [[1, 255]], [[2, 0]]], dtype=np.uint8), np.array(["a", "a", "b"])
    model = ClassMeans().fit(X, y)
    assert model.X_distilled_.tolist() == [[[0.5, 255]], [[2, 0]]]
    assert model.X_distilled_.dtype == np.float32
