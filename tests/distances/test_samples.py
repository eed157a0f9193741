from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from distillkit.distances import mmd, sliced_wasserstein, squared_distances, wasserstein
from distillkit.exceptions import DataError

DISTANCES = [mmd, wasserstein, sliced_wasserstein]


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 4)), rng.normal(0.5, 2, size=(20, 4))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-2)])
def test_squared_distances_are_those_of_scipy_far_from_the_origin(samples, dtype, tolerance):
    X, Y = (rows + 1000.0 for rows in samples)
    squares = squared_distances(X.astype(dtype), Y.astype(dtype), dtype=dtype)
    assert squares.dtype == dtype
    np.testing.assert_allclose(squares, cdist(X, Y) ** 2, atol=tolerance)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_set_is_at_no_distance_from_itself_and_at_some_from_others(distance, samples):
    X, Y = samples
    assert distance(X, X) == pytest.approx(0, abs=1e-7)
    assert distance(X, Y) > 0.01


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_set_is_at_no_distance_from_itself_when_both_are_drawn_from(distance, samples):
    X = np.concatenate(samples)
    options = {} if distance is sliced_wasserstein else {"max_rows": 7, "seed": 3}
    assert distance(X, X.copy(), **options) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("distance", DISTANCES)
def test_symmetry_and_order_of_rows(distance, samples):
    X, Y = samples
    rng = np.random.default_rng(1)
    a, b = rng.random(30), rng.random(20)
    p, q = rng.permutation(30), rng.permutation(20)
    value = distance(X, Y, x_weight=a, y_weight=b)
    assert distance(Y, X, x_weight=b, y_weight=a) == pytest.approx(value, rel=1e-9)
    assert distance(X[p], Y[q], x_weight=a[p], y_weight=b[q]) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_weight_is_a_number_of_copies(distance, samples):
    X, Y = samples
    copies = np.random.default_rng(2).integers(0, 4, size=20)
    options = {"bandwidth": 1.5} if distance is mmd else {}  # the median bandwidth looks at rows, not at weights
    repeated = distance(X, np.repeat(Y, copies, axis=0), **options)
    assert distance(X, Y, y_weight=copies, **options) == pytest.approx(repeated, rel=1e-9)
    assert distance(X, Y, **options) != pytest.approx(repeated, rel=1e-6)


@pytest.mark.parametrize("distance", [mmd, wasserstein])
def test_more_rows_than_wanted_are_drawn_by_the_seed(distance, samples):
    X, Y = samples
    values = [distance(X, Y, max_rows=10, seed=seed) for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]
    assert distance(X, Y, max_rows=50, seed=0) == distance(X, Y, seed=1)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Y": np.ones((3, 5))}, "X has 4 features, but Y has 5"),
        ({"Y": np.ones((0, 4))}, r"Y has shape \(0, 4\)"),
        ({"X": np.ones(4)}, r"X has shape \(4,\)"),
        ({"X": np.full((3, 4), np.nan)}, "X holds NaN"),
        ({"y_weight": [1, 2]}, "y_weight has shape"),
        ({"x_weight": np.full(30, -1.0)}, "x_weight must be finite, without negative"),
        ({"x_weight": np.zeros(30)}, "not all zero"),
    ],
)
def test_samples_that_cannot_be_used(distance, change, message, samples):
    arguments = dict(zip("XY", samples, strict=True)) | change
    with pytest.raises(DataError, match=message):
        distance(arguments.pop("X"), arguments.pop("Y"), **arguments)


def test_no_rows_can_be_drawn(samples):
    with pytest.raises(DataError, match="max_rows=0"):
        mmd(*samples, max_rows=0)
