from __future__ import annotations

import numpy as np
import pytest

from distillkit.utils._hold_out import hold_out_rows, rows_by_class

Y = np.array(["b", "a", "b", "c", "a", "b", "b"])


def test_rows_are_grouped_by_sorted_label():
    assert [rows.tolist() for rows in rows_by_class(Y, 7)] == [[1, 4], [0, 2, 5, 6], [3]]
    assert [rows.tolist() for rows in rows_by_class(None, 3)] == [[0, 1, 2]]


@pytest.mark.parametrize("rng", [np.random.RandomState, np.random.default_rng], ids=["legacy", "generator"])
def test_each_group_gives_its_count_and_the_rest_is_for_training(rng):
    train, held_out = hold_out_rows(rows_by_class(Y, 7), [1, 2, 0], 7, rng(0))
    assert sorted([*train, *held_out]) == list(range(7))
    assert train.tolist() == sorted(train)
    assert Y[held_out].tolist() == ["a", "b", "b"]
    again = hold_out_rows(rows_by_class(Y, 7), [1, 2, 0], 7, rng(0))[1]
    assert again.tolist() == held_out.tolist()


def test_rows_in_no_group_stay_in_training():
    train, held_out = hold_out_rows([np.array([2, 5])], [2], 7, np.random.RandomState(0))
    assert train.tolist() == [0, 1, 3, 4, 6]
    assert sorted(held_out) == [2, 5]


def test_the_draws_are_those_that_stored_results_were_made_with():
    """One permutation per group of the legacy generator, one choice per group of the new one."""
    groups = [np.arange(0, 40), np.arange(40, 60)]
    legacy, expected = np.random.RandomState(3), np.random.RandomState(3)
    held_out = hold_out_rows(groups, [0, 5], 60, legacy)[1]
    expected.permutation(groups[0])
    assert held_out.tolist() == expected.permutation(groups[1])[:5].tolist()
    new, expected = np.random.default_rng(3), np.random.default_rng(3)
    held_out = hold_out_rows(groups, [4, 5], 60, new)[1]
    drawn = [expected.choice(rows, count, replace=False) for rows, count in zip(groups, [4, 5], strict=True)]
    assert held_out.tolist() == np.concatenate(drawn).tolist()


def test_nothing_may_be_held_out():
    train, held_out = hold_out_rows([np.arange(4)], [0], 4, np.random.RandomState(0))
    assert train.tolist() == [0, 1, 2, 3]
    assert len(held_out) == 0
