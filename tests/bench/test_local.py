"""The default engine: so many groups at a time, and an end at once when something ends the run."""

from __future__ import annotations

import threading
import time

import pytest

from distillkit.bench.execution import _local_executor as _local
from distillkit.bench.execution._job_process import JobInterrupted


def test_every_group_is_run_once():
    rows = list(_local.run(range(20), lambda group: [{"group": group}], 3))
    assert sorted(row["group"] for group in rows for row in group) == list(range(20))


def test_nothing_to_run():
    assert list(_local.run([], lambda group: [group], 2)) == []


@pytest.mark.parametrize("jobs", [1, 3])
def test_so_many_at_a_time(jobs):
    barrier, running, most = threading.Barrier(jobs), [], []

    def run_group(group):
        running.append(group)
        most.append(len(running))
        barrier.wait(10)  # holds until as many as may run are running
        time.sleep(0.01)
        running.remove(group)
        return [{}]

    assert len(list(_local.run(range(3 * jobs), run_group, jobs))) == 3 * jobs
    assert max(most) == jobs


def test_an_error_ends_what_runs_and_starts_nothing_new(monkeypatch):
    killed, started = threading.Event(), []
    monkeypatch.setattr(_local, "kill_children", killed.set)

    def run_group(group):
        started.append(group)
        if group == 0:
            raise OSError("the disk is full")
        if not killed.wait(10):
            raise AssertionError("the child was left running")
        raise JobInterrupted

    with pytest.raises(OSError, match="the disk is full"):
        list(_local.run(range(50), run_group, 2))
    assert len(started) <= 3


def test_leaving_early_ends_what_runs(monkeypatch):
    started, killed = threading.Event(), threading.Event()
    monkeypatch.setattr(_local, "kill_children", killed.set)

    def run_group(group):
        if group:
            started.set()
            if not killed.wait(10):
                raise AssertionError("the child was left running")
        return [{"group": group}]

    groups = _local.run(range(10), run_group, 1)
    assert next(groups) == [{"group": 0}]
    assert started.wait(10)
    groups.close()
    assert killed.is_set()
