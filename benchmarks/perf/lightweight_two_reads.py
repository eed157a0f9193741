"""Time the lightweight coreset of real MNIST against two reads of its rows.

Usage: ``DISTILLKIT_DATA=... python benchmarks/perf/lightweight_two_reads.py [--rows N] [--picks K] [--repeats R]``

A read is a plain float32 sum over X, by as many threads as the coreset uses; beside it stands the fastest read there is, a
matrix-vector product ``X @ v`` in the same threads. The coreset must read twice: for the means, and for the distances to them. The
time of the selection is that from checked rows to picks and
weights; the whole ``fit`` also checks that X is finite, which is a third read. Reads and fits take turns, and the
fastest of each are compared: other work on the machine only ever adds to a time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from _mnist import mnist, timed

from distillkit import LightweightCoreset
from distillkit.base import Outcome, Run, TrainingRows
from distillkit.neighbors._threads import block_threads, thread_count


class Timed(LightweightCoreset):
    """The method, with a clock around what it does itself."""

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        self.seconds_, outcome = timed(lambda: super(Timed, self)._distill(rows, run))
        return outcome


def read_seconds(X: np.ndarray, read: Callable[[np.ndarray], Any]) -> float:
    """Return the seconds of one read of X, each thread taking its part."""
    parts = np.array_split(X, thread_count())
    with block_threads(X.size) as each:
        return timed(lambda: list(each(read, parts)))[0]


def once(X: np.ndarray, y: np.ndarray | None, budget: int) -> tuple[float, float, float, float]:
    """Return the seconds of two sums, two matrix-vector products, of the selection and of the whole fit."""
    ones, model = np.ones(X.shape[1], dtype=X.dtype), Timed(budget=budget, random_state=0)
    sums = sum(read_seconds(X, np.sum) for _ in range(2))
    products = sum(read_seconds(X, lambda rows: rows @ ones) for _ in range(2))
    whole, _ = timed(lambda: model.fit(X, y))
    return sums, products, model.seconds_, whole


def main() -> None:
    """Print the seconds of two reads, and how many times as long the selection and the whole fit take."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picks", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    X, y = mnist(arguments.rows)
    print(
        f"MNIST {X.shape[0]} x {X.shape[1]}, {arguments.picks} picks, {thread_count()} threads, fastest of {arguments.repeats}"
    )
    for name, labels, budget in (("one group", None, arguments.picks), ("ten classes", y, arguments.picks // 10)):
        times = np.array([once(X, labels, budget) for _ in range(arguments.repeats)])
        reads, products, selection, whole = times.min(axis=0)
        print(
            f"{name}: two reads {1e3 * reads:.1f} ms, selection {1e3 * selection:.1f} ms = {selection / reads:.2f} times as "
            f"long, whole fit {1e3 * whole:.1f} ms = {whole / reads:.2f} times as long; two products X @ v "
            f"{1e3 * products:.1f} ms, selection {selection / products:.2f} times as long"
        )


if __name__ == "__main__":
    main()
