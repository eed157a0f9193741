from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from distillkit.utils._interpolation import expand, interpolation_matrix, shrink, smaller_sides

SIDES = [((28, 28), 2), ((28, 28), 3), ((9, 7), 4), ((5, 1), 1), ((6, 5), 5)]


def small_rows(sides, factor):
    return np.random.default_rng(0).normal(size=(3, 2, *smaller_sides(sides, factor)))


@pytest.mark.parametrize(("sides", "factor"), SIDES)
def test_images_are_interpolated_as_torch_does_it(sides, factor):
    small = small_rows(sides, factor)
    wanted = F.interpolate(torch.from_numpy(small), size=sides, mode="bilinear", align_corners=False)
    np.testing.assert_allclose(expand(small, sides), wanted.numpy(), atol=1e-12)


@pytest.mark.parametrize(("size", "of"), [(24, 12), (25, 9), (7, 7), (4, 1)])
def test_series_are_interpolated_as_torch_does_it_and_by_the_matrix(size, of):
    small = small_rows((of,), 1)
    wanted = F.interpolate(torch.from_numpy(small), size=(size,), mode="linear", align_corners=False)
    np.testing.assert_allclose(expand(small, (size,)), wanted.numpy(), atol=1e-12)
    np.testing.assert_allclose(small @ interpolation_matrix(size, of).T, wanted.numpy(), atol=1e-12)


@pytest.mark.parametrize(("sides", "factor"), SIDES)
def test_shrinking_is_the_inverse_of_expanding(sides, factor):
    small = small_rows(sides, factor)
    np.testing.assert_allclose(shrink(expand(small, sides), small.shape[2:]), small, atol=1e-10)


def test_nothing_is_nearer_than_what_shrinking_gives():
    rows = np.random.default_rng(1).normal(size=(1, 1, 8, 8))
    small = shrink(rows, (4, 4))
    whole = np.kron(interpolation_matrix(8, 4), interpolation_matrix(8, 4))
    found = np.linalg.lstsq(whole, rows.ravel(), rcond=None)[0]
    np.testing.assert_allclose(small.ravel(), found, atol=1e-10)


def test_integers_are_rounded_and_stay_in_the_range_of_the_small_ones():
    small = np.array([[[[0, 255], [3, 4]]]], dtype=np.uint8)
    large = expand(small, (4, 4))
    assert large.dtype == np.uint8
    np.testing.assert_array_equal(large, np.rint(expand(small.astype(float), (4, 4))))
    assert large.min() == 0
    assert large.max() == 255
