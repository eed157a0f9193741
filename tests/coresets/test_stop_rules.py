"""Classes share the time by their work, and what one leaves goes to the next."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.base import Group, Run
from distillkit.coresets.shared._time_budget import split_time_budget


class FakeRun(Run):
    """A run whose clock is moved by hand."""

    now = 0.0

    @property
    def seconds(self):
        return self.now


def groups_of(*groups):
    return tuple(Group(label, np.arange(n), size) for label, (n, size) in enumerate(groups))


def test_without_a_limit_rules_by_row_never_end_a_group_and_others_are_left_out():
    groups = groups_of((5, 1), (9, 2))
    assert list(split_time_budget(groups, Run(), by_row=False)) == [None, None]
    rules = list(split_time_budget(groups, Run()))
    assert not any(rule() for rule in rules for _ in range(20))


def test_time_is_shared_by_rows_times_size():
    run = FakeRun(max_seconds=10.0)
    rules = split_time_budget(groups_of((30, 1), (10, 1), (10, 3), (15, 2)), run)  # work 30, 10, 30, 30
    for begins, deadline in ((0.0, 3.0), (3.0, 4.0), (4.0, 7.0), (7.0, 10.0)):
        run.now = begins
        rule = next(rules)
        run.now = deadline - 0.01
        assert not rule()
        run.now = deadline
        assert rule()


def test_unused_time_goes_to_the_others():
    run = FakeRun(max_seconds=10.0)
    rules = split_time_budget(groups_of((10, 1), (10, 1), (10, 1)), run)
    next(rules)
    run.now = 1.0  # done early
    rule = next(rules)
    run.now = 5.4
    assert not rule()
    run.now = 5.5
    assert rule()


@pytest.mark.parametrize("late", [False, True])
def test_what_ended_the_fit_is_noted(late):
    run = FakeRun(max_seconds=10.0)
    rule = next(split_time_budget(groups_of((10, 1)), run))
    run.now = 10.5 if late else 9.5
    assert rule() is late
    assert run.stopped_by == ("max_seconds" if late else None)
