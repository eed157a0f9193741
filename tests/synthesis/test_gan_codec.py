from __future__ import annotations

import numpy as np
import pytest

from distillkit.synthesis._columns import Columns
from distillkit.synthesis._encoding import Codec


@pytest.fixture
def rng():
    return np.random.RandomState(0)


@pytest.mark.parametrize("shape", [(3,), (2, 9), (2, 8, 9), (2, 3, 4)])
def test_real_rows_survive_there_and_back(rng, shape):
    X = rng.normal(100, 30, size=(25, *shape))
    codec = Codec.of(X)
    np.testing.assert_allclose(codec.decode(codec.encode(X)), X, rtol=1e-5)


def test_images_are_scaled_to_one_by_channel(rng):
    X = rng.uniform(size=(30, 2, 8, 8)) * np.array([1, 255])[:, None, None]
    coded = Codec.of(X).encode(X)
    assert coded.dtype == np.float32
    np.testing.assert_allclose(coded.min(axis=(0, 2, 3)), -1, atol=1e-6)
    np.testing.assert_allclose(coded.max(axis=(0, 2, 3)), 1, atol=1e-6)


def test_series_and_tables_are_standardized(rng):
    series = rng.normal(5, 3, size=(30, 2, 9)) * np.array([1, 100])[:, None]
    coded = Codec.of(series).encode(series)
    np.testing.assert_allclose(coded.mean(axis=(0, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(coded.std(axis=(0, 2)), 1, atol=1e-5)
    table = rng.normal(5, 3, size=(30, 4))
    coded = Codec.of(table).encode(table)
    np.testing.assert_allclose(coded.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(coded.std(axis=0), 1, atol=1e-6)


def test_made_rows_are_clipped_to_the_range_of_each_feature(rng):
    X = rng.normal(size=(30, 1, 8, 8))
    X[:, 0, 0, 0] = 0.25  # a pixel that never changes
    codec = Codec.of(X)
    made = codec.decode(rng.normal(0, 50, size=(40, 1, 8, 8)).astype(np.float32))
    assert (made >= X.min(axis=0)).all()
    assert (made <= X.max(axis=0)).all()
    assert (made[:, 0, 0, 0] == 0.25).all()


def test_few_levels_come_back_as_observed(rng):
    levels = np.array([-7.3, 0.1, 4.0, 1e6])
    X = np.column_stack([rng.choice(levels, 60), rng.normal(size=60), np.full(60, 3.3)])
    codec = Codec.of(X)
    made = codec.decode(rng.normal(0, 3, size=(200, 3)).astype(np.float32))
    assert set(made[:, 0]) <= set(levels)
    assert len(set(made[:, 1])) > 10
    assert set(made[:, 2]) == {3.3}


def test_the_nearest_level_is_taken():
    columns = Columns.of(np.array([[0.0], [1.0], [10.0]]))
    assert columns.snap(np.array([[-5.0], [0.4], [0.6], [5.4], [5.6], [99.0]])).ravel().tolist() == [
        0,
        0,
        1,
        1,
        10,
        10,
    ]


def test_ten_values_are_levels_and_eleven_are_not():
    X = np.column_stack([np.arange(110) % 10, np.arange(110) % 11]) + 0.5
    assert list(Columns.of(X).levels) == [0]


def test_whole_numbers_are_rounded():
    columns = Columns.of(np.column_stack([np.arange(50), np.arange(50) / 2]))
    assert columns.whole.tolist() == [True, False]
    assert columns.snap(np.array([[3.6, 3.6]])).tolist() == [[4.0, 3.6]]


def test_one_hot_blocks_are_found_and_kept(rng):
    first, second = np.eye(3)[rng.randint(3, size=80)], np.eye(4)[rng.randint(4, size=80)]
    flag = rng.randint(2, size=80)
    X = np.column_stack([flag, first, second, rng.normal(size=80)])
    columns = Columns.of(X)
    assert [block.tolist() for block in columns.blocks] == [[1, 2, 3], [4, 5, 6, 7]]
    assert list(columns.free_levels) == [0]
    made = columns.snap(rng.normal(size=(30, 9)))
    assert (made[:, 1:4].sum(axis=1) == 1).all()
    assert (made[:, 4:8].sum(axis=1) == 1).all()
    assert set(np.unique(made[:, :8])) <= {0, 1}


def test_columns_that_do_not_sum_to_one_are_no_block(rng):
    assert Columns.of(rng.randint(2, size=(80, 4)).astype(float)).blocks == ()


def test_snapping_leaves_its_input_alone(rng):
    given = rng.normal(size=(5, 2))
    before = given.copy()
    Columns.of(np.column_stack([np.arange(30) % 3, np.arange(30)])).snap(given)
    np.testing.assert_array_equal(given, before)
