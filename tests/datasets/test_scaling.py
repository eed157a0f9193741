from __future__ import annotations

import numpy as np
import pytest

from distillkit.datasets._scaling import standardize


@pytest.mark.parametrize("shape", [(40, 3), (40, 3, 7)])
def test_training_rows_get_mean_0_and_deviation_1_per_column_or_channel(shape):
    rng = np.random.default_rng(0)
    train, test = rng.normal(5, 3, size=shape), rng.normal(5, 3, size=shape)
    others = tuple(axis for axis in range(len(shape)) if axis != 1)

    scaled, scaled_test = standardize(train, test)

    mean, deviation = train.mean(axis=others, keepdims=True), train.std(axis=others, keepdims=True)
    np.testing.assert_allclose(scaled, (train - mean) / deviation, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scaled_test, (test - mean) / deviation, rtol=1e-4, atol=1e-6)
    assert scaled.dtype == scaled_test.dtype == np.float32
    assert scaled.flags.c_contiguous


def test_constant_columns_are_centred_even_where_rounding_gives_them_a_deviation():
    column = np.full((3, 1), 0.1)
    assert column.std() > 0  # the trap: this is a rounding error

    scaled, test = standardize(column, np.array([[0.1], [0.2]]))

    assert np.abs(scaled).max() < 1e-6
    assert abs(test[1, 0] - 0.1) < 1e-6


def test_missing_values_count_for_nothing_and_stay():
    scaled, _ = standardize(np.array([[1.0], [np.nan], [3.0]]), np.array([[2.0]]))

    np.testing.assert_array_equal(scaled.ravel(), [-1, np.nan, 1])
