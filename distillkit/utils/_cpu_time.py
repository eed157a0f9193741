"""Measures the CPU time of functions in a way that other load on the machine hardly changes."""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from joblib import parallel_config
from threadpoolctl import threadpool_limits

__all__ = ["interleaved_cpu_seconds", "latencies", "paired_ratio", "timed_cpu"]

_REPEATS = 9
_FEWEST_REPEATS = 5
_LONG = 0.5
_LATENCY_ROUNDS = 25
"""Rounds in which models predict in turn.

On a processor with more processes than cores, medians of nine rounds differ by half.
"""
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
    calls: Sequence[Callable[[], Any]],
    *,
    repeats: int = _REPEATS,
    long: float = _LONG,
    clock: Callable[[], float] | None = None,
) -> list[list[float]]:
    """Measure the CPU seconds of several functions in turn, each with one thread.

    In each round every function is called, so that a change of the processor's speed meets all of
    them, and every other round goes backwards. A function that takes little time is called several
    times for one sample.

    Parameters
    ----------
    calls : sequence of callable
        Functions without arguments. Each is called once before, to load what it needs.
    repeats : int, default=9
        Number of rounds, at least 5.
    long : float, default=0.5
        CPU seconds after which no more than five rounds are made.
    clock : callable or None
        Returns CPU seconds; None is the clock of all threads of this process.

    Returns
    -------
    list of list of float
        For each function the CPU seconds of one call, one number per round.
    """
    clock = clock or time.process_time
    seconds: list[list[float]] = [[] for _ in calls]
    with threadpool_limits(1):
        timed = [(call, _calls_per_sample(call, clock), samples) for call, samples in zip(calls, seconds, strict=True)]
        started = clock()
        for number in range(max(repeats, _FEWEST_REPEATS)):
            if number >= _FEWEST_REPEATS and clock() - started > long:
                break
            for call, count, samples in timed if number % 2 == 0 else timed[::-1]:
                samples.append(_sample(call, count, clock))
    return seconds


def latencies(calls: Sequence[Callable[[], Any]]) -> list[list[float]]:
    """Measure the CPU seconds of functions that predict, each in the thread that calls them.

    Other threads of the process, which may train or load something meanwhile, do not count. All
    that the functions would spread over threads of joblib, of torch or of libraries for linear
    algebra is done in the calling thread.

    Parameters
    ----------
    calls : sequence of callable
        Functions without arguments.

    Returns
    -------
    list of list of float
        As of `interleaved_cpu_seconds`.
    """
    with parallel_config(backend="sequential"), _one_thread_of_torch():
        return interleaved_cpu_seconds(calls, repeats=_LATENCY_ROUNDS, long=1.0, clock=time.thread_time)


def paired_ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the median over rounds of the time of one function divided by that of another.

    Parameters
    ----------
    first, second : sequence of float
        Seconds of both functions in the same rounds; see `interleaved_cpu_seconds`.
    """
    return statistics.median(one / other for one, other in zip(first, second, strict=True))


@contextmanager
def _one_thread_of_torch() -> Iterator[None]:
    """Let torch compute in the calling thread, if it is loaded at all."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _calls_per_sample(call: Callable[[], Any], clock: Callable[[], float]) -> int:
    seconds = _sample(call, 1, clock)  # the first call also loads what it needs
    for _ in range(_TRIALS if seconds < _SAMPLE else 1):
        seconds = min(seconds, _sample(call, 1, clock))
    return max(1, math.ceil(_SAMPLE / max(seconds, 1e-6)))


def _sample(call: Callable[[], Any], count: int, clock: Callable[[], float]) -> float:
    started = clock()
    for _ in range(count):
        call()
    return max(clock() - started, 1e-9) / count
