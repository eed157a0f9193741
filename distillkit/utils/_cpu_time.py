"""Measures the CPU time of functions in a way that other load on the machine hardly changes."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from threadpoolctl import threadpool_limits

__all__ = ["cpu_ratio", "interleaved_cpu_seconds", "timed_cpu"]

_REPEATS = 9
_FEWEST_REPEATS = 5
_LONG = 0.5
_SAMPLE = 0.005
"""CPU seconds that one sample lasts at least.

The steps of the clock do not count then, nor does the first call of a sample, which finds its data
no longer in the cache.
"""
_TRIALS = 3


def timed_cpu(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Call a function and return its result, its wall-clock seconds and its CPU seconds.

    CPU seconds are those of all threads of this process. Other processes do not add to them, but a
    library that spreads its work over idle threads may.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def interleaved_cpu_seconds(
    calls: Sequence[Callable[[], Any]], *, repeats: int = _REPEATS, long: float = _LONG
) -> list[list[float]]:
    """Measure the CPU seconds of several functions in turn, each with one thread.

    In each round every function is called, so that a change of the processor's speed meets all of
    them. A function that takes little time is called several times for one sample.

    Parameters
    ----------
    calls : sequence of callable
        Functions without arguments. Each is called once before, to load what it needs.
    repeats : int, default=9
        Number of rounds, at least 5.
    long : float, default=0.5
        CPU seconds after which no more than five rounds are made.

    Returns
    -------
    list of list of float
        For each function the CPU seconds of one call, one number per round.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    with threadpool_limits(1):
        counts = [_calls_per_sample(call) for call in calls]
        started = time.process_time()
        for number in range(max(repeats, _FEWEST_REPEATS)):
            if number >= _FEWEST_REPEATS and time.process_time() - started > long:
                break
            for call, count, samples in zip(calls, counts, seconds, strict=True):
                samples.append(_sample(call, count))
    return seconds


def cpu_ratio(first: Callable[[], Any], second: Callable[[], Any]) -> float:
    """Return the CPU time of one function divided by that of another, each the median of a sample.

    See `interleaved_cpu_seconds` for how the two are measured.
    """
    of_first, of_second = interleaved_cpu_seconds([first, second])
    return statistics.median(of_first) / statistics.median(of_second)


def _calls_per_sample(call: Callable[[], Any]) -> int:
    seconds = _sample(call, 1)  # the first call also loads what it needs
    for _ in range(_TRIALS if seconds < _SAMPLE else 1):
        seconds = min(seconds, _sample(call, 1))
    return max(1, math.ceil(_SAMPLE / max(seconds, 1e-6)))


def _sample(call: Callable[[], Any], count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        call()
    return max(time.process_time() - started, 1e-9) / count
