"""CPU times by a clock that the timed functions move themselves, so that no test depends on the machine."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from threadpoolctl import threadpool_info

from distillkit.utils import _cpu_time
from distillkit.utils._cpu_time import interleaved_cpu_seconds, latencies, paired_ratio, timed_cpu


class Clock:
    """A clock that stands still unless a function works."""

    def __init__(self) -> None:
        self.now, self.order = 0.0, ""

    def work(self, name: str, *seconds: float) -> Callable[[], None]:
        """Return a function that takes the given seconds in turn, and then the last of them."""
        calls = iter(seconds)
        last = seconds[-1]

        def call() -> None:
            self.now += next(calls, last)
            self.order += name

        return call


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for name in ("process_time", "thread_time"):
        monkeypatch.setattr(_cpu_time.time, name, lambda: clock.now)
    return clock


def test_rounds_go_forth_and_back_after_each_has_been_called_twice(clock: Clock) -> None:
    found = interleaved_cpu_seconds([clock.work("a", 0.01), clock.work("b", 0.02)], repeats=6)
    assert clock.order == "aabb" + "abba" * 3
    assert found == [pytest.approx([0.01] * 6), pytest.approx([0.02] * 6)]


def test_the_first_calls_and_single_slow_ones_do_not_count(clock: Clock) -> None:
    slow_start = clock.work("a", 5.0, 0.02, 0.02, 0.02, 3.0, 0.02)
    assert paired_ratio(*latencies([slow_start, clock.work("b", 0.01)])) == pytest.approx(2)


def test_short_calls_are_made_many_times_for_one_sample(clock: Clock) -> None:
    (found,) = interleaved_cpu_seconds([clock.work("a", 0.0001)], repeats=5)
    assert found == pytest.approx([0.0001] * 5)
    assert len(clock.order) == pytest.approx(4 + 5 * 50, abs=5)  # samples of five milliseconds


def test_long_calls_are_made_five_times(clock: Clock) -> None:
    (found,) = interleaved_cpu_seconds([clock.work("a", 1.0)], repeats=100, long=0.5)
    assert len(found) == 5


def test_a_clock_that_does_not_move_gives_a_ratio(clock: Clock) -> None:
    assert paired_ratio(*latencies([clock.work("a", 0.0), clock.work("b", 0.0)])) == 1


def test_a_processor_that_slows_down_does_not_change_a_ratio(clock: Clock) -> None:
    """Each round takes a tenth longer than the one before, for both functions alike."""
    rounds = [1.1**number for number in range(12)]
    slower, faster = (clock.work(name, *[scale * each for each in rounds]) for name, scale in (("a", 0.3), ("b", 0.1)))
    assert paired_ratio(*latencies([slower, faster])) == pytest.approx(3)


def test_other_threads_do_not_count_and_all_work_is_done_in_the_calling_thread() -> None:
    """A forest of two jobs, and a network of torch, keep to the thread that asks them."""
    torch = pytest.importorskip("torch")
    rows = np.random.default_rng(0).normal(size=(60, 4))
    forest = RandomForestClassifier(8, n_jobs=2, random_state=0).fit(rows, rows[:, 0] > 0)
    before, threads, counts = torch.get_num_threads(), set(), set()

    def trace(X: np.ndarray) -> np.ndarray:
        threads.add(threading.get_ident())
        return X.sum(axis=1)

    tree = type(forest.estimators_[0])
    original = tree.predict_proba
    tree.predict_proba = lambda self, X, **options: (trace(X), original(self, X, **options))[1]
    try:
        latencies([lambda: forest.predict(rows), lambda: counts.add(torch.get_num_threads())])
    finally:
        tree.predict_proba = original
    assert threads == {threading.get_ident()}
    assert counts == {1}
    assert torch.get_num_threads() == before


def test_one_thread_computes_while_it_is_measured() -> None:
    counts: list[int] = []
    interleaved_cpu_seconds([lambda: counts.extend(each["num_threads"] for each in threadpool_info())], repeats=5)
    assert set(counts) <= {1}


def test_a_call_gives_its_result_and_both_times(clock: Clock) -> None:
    work = clock.work("a", 2.0)
    result, wall, cpu = timed_cpu(lambda: [work(), "result"][1])
    assert (result, cpu) == ("result", 2.0)
    assert wall >= 0
