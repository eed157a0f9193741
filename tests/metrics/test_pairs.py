from __future__ import annotations

import numpy as np
import pytest

from distillkit.distilled import DistilledSet, Preprocessing
from distillkit.exceptions import DataError
from distillkit.metrics._pairs import flat_rows, paired

X = np.arange(24.0).reshape(6, 2, 2)
Y = np.array([0, 0, 1, 1, 1, 2])


def test_each_class_meets_its_own_rows():
    distilled = DistilledSet(X[[1, 3, 5]], Y[[1, 3, 5]], np.array([2.0, 3.0, 1.0]), classes=np.unique(Y))
    pairs = list(paired(X, Y, distilled))
    assert [pair.rows.tolist() for pair in pairs] == [[0, 1], [2, 3, 4], [5]]
    assert [pair.weight.tolist() for pair in pairs] == [[2], [3], [1]]
    assert not any(pair.stand_in for pair in pairs)
    np.testing.assert_array_equal(pairs[1].X, X[[2, 3, 4]].reshape(3, 4))
    np.testing.assert_array_equal(pairs[1].distilled, X[[3]].reshape(1, 4))


@pytest.mark.parametrize("weight", [[1.0, 1.0, 0.0], None])
def test_all_rows_stand_in_for_a_class_left_out(weight):
    labels = Y[[1, 3, 5]] if weight else np.array([0, 1, 1])
    distilled = DistilledSet(X[[1, 3, 5]], labels, None if weight is None else np.array(weight), classes=np.unique(Y))
    pairs = list(paired(X, Y, distilled))
    assert [pair.stand_in for pair in pairs] == [False, False, True]
    assert len(pairs[2].distilled) == 3


def test_a_continuous_target_is_one_more_column_without_its_units():
    rng = np.random.default_rng(0)
    y = rng.normal(50, 9, size=6)
    (pair,) = paired(X, y, DistilledSet(X[:2], y[:2]))
    assert pair.X.shape == (6, 5)
    assert pair.X[:, -1].mean() == pytest.approx(0, abs=1e-12)
    assert pair.X[:, -1].std() == pytest.approx(1)
    np.testing.assert_array_equal(pair.distilled, pair.X[:2])


@pytest.mark.parametrize(
    ("classes", "provenance", "n_pairs"),
    [(np.unique(Y), {}, 3), (None, {"task": "regression"}, 1), (None, {"task": "classification"}, 3), (None, {}, 3)],
)
def test_what_tells_that_labels_are_classes(classes, provenance, n_pairs):
    distilled = DistilledSet(X, Y, classes=classes, provenance=provenance)
    assert len(list(paired(X, Y, distilled))) == n_pairs


@pytest.mark.parametrize(("y", "y_distilled"), [(None, None), (Y, None), (None, Y)])
def test_without_a_target_features_alone_count(y, y_distilled):
    (pair,) = paired(X, y, DistilledSet(X, y_distilled))
    assert pair.X.shape == pair.distilled.shape == (6, 4)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float16])
def test_numbers_of_other_types_become_floats_of_the_same_values(dtype):
    rows = flat_rows(np.array([[[0], [51], [255]]], dtype=dtype))
    assert rows.dtype == np.float64
    assert rows.tolist() == [[0, 51, 255]]


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_a_target_is_standardized_at_any_scale(scale):
    y = np.array([1.0, 2.0, 4.0, 5.0])
    (pair,) = paired(np.zeros((4, 1)), y * scale, DistilledSet(np.zeros((2, 1)), y[:2] * scale))
    np.testing.assert_allclose(pair.X[:, 1], (y - 3) / np.sqrt(2.5), rtol=1e-12)
    np.testing.assert_array_equal(pair.distilled[:, 1], pair.X[:2, 1])


def test_a_target_in_half_precision_does_not_overflow():
    y = np.array([0, 30_000, 60_000, 60_000], dtype=np.float16)
    pairs = [next(paired(np.zeros((4, 1)), t, DistilledSet(np.zeros((4, 1)), t))) for t in (y, y.astype(float))]
    np.testing.assert_array_equal(pairs[0].X, pairs[1].X)


def test_equal_targets_become_zero():
    (pair,) = paired(
        np.zeros((3, 1)),
        np.full(3, 0.1),
        DistilledSet(np.zeros((1, 1)), np.full(1, 0.1), provenance={"task": "regression"}),
    )
    assert (pair.X == 0).all()
    assert (pair.distilled == 0).all()


def test_rows_in_a_method_s_own_space_are_carried_back():
    flat = X.reshape(6, 4)
    scaling = Preprocessing.standardize(flat)
    distilled = DistilledSet(scaling.transform(flat), Y, preprocessing=scaling)
    for pair in paired(flat, Y, distilled):
        np.testing.assert_allclose(pair.distilled, pair.X, atol=1e-12)


@pytest.mark.parametrize(
    ("rows", "message"),
    [(np.ones((6, 3)), "cannot be compared"), (np.full((6, 4), np.nan), "distilled rows hold NaN")],
)
def test_rows_that_cannot_be_compared(rows, message):
    with pytest.raises(DataError, match=message):
        list(paired(X, Y, DistilledSet(rows, Y)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_training_rows_and_targets_that_are_not_finite(bad):
    rows, y = X.copy(), np.linspace(0, 1, 6)
    rows[2, 0, 1] = bad
    with pytest.raises(DataError, match="training rows hold NaN"):
        list(paired(rows, Y, DistilledSet(X, Y)))
    with pytest.raises(DataError, match="targets hold NaN"):
        list(paired(X, np.where(y > 0.9, bad, y), DistilledSet(X, y, provenance={"task": "regression"})))
