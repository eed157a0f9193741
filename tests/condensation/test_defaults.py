from __future__ import annotations

import pytest

from distillkit.condensation.problem._defaults import default_depth, default_rate, loop_counts


@pytest.mark.parametrize(("rows", "counts"), [(1, (1, 1)), (10, (10, 50)), (50, (50, 10))])
def test_the_published_budgets(rows, counts):
    assert loop_counts(rows) == counts


def test_between_them_both_counts_move_from_one_to_the_next():
    outers, inners = zip(*[loop_counts(rows) for rows in range(1, 60)], strict=True)
    assert list(outers) == sorted(outers)
    assert max(outers) == 50
    assert list(inners[:10]) == sorted(inners[:10])
    assert list(inners[9:50]) == sorted(inners[9:50], reverse=True)
    assert loop_counts(20) == (20, 25)  # as published for twenty, which the table above leaves out


def test_given_counts_win():
    assert loop_counts(10, outer=3) == (3, 50)
    assert loop_counts(10, inner=4) == (10, 4)


@pytest.mark.parametrize("side", [3, 4, 7, 8, 15, 16, 28, 224])
def test_the_last_norm_sees_four_pixels_a_side_where_the_image_has_them(side):
    depth = default_depth("convnet", (3, side, side + 5))
    assert 1 <= depth <= 3
    assert depth == 1 or side // 2 ** (depth - 1) >= 4
    assert depth == 3 or side // 2**depth < 4


@pytest.mark.parametrize("length", [8, 24, 32, 64, 150])
def test_the_last_norm_sees_sixteen_steps_where_the_series_has_them(length):
    depth = default_depth("auto", (2, length))
    assert depth == 1 or length // 2 ** (depth - 1) >= 16
    assert depth == 3 or length // 2**depth < 16


def test_other_networks_have_no_depth():
    assert (
        default_depth("auto", (20,)) is default_depth("lenet", (1, 28, 28)) is default_depth(print, (1, 8, 8)) is None
    )


def test_rates_grow_with_the_row_up_to_that_of_mnist():
    assert default_rate((1, 28, 28)) == default_rate((3, 32, 32)) == 0.2
    assert default_rate((64,)) == default_rate((1, 8, 8)) == pytest.approx(0.0163, rel=0.01)
