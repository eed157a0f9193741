"""Time the lightweight coreset of real MNIST against two reads of its rows.

Usage: ``DISTILLKIT_DATA=... python benchmarks/perf/lightweight_two_reads.py [--rows N] [--picks K] [--repeats R]``

A read is one matrix-vector product ``X @ v``, which takes each number of X once, as fast as memory gives them. The coreset must
read twice: for the means, and for the distances to them. The time of the selection is that from checked rows to picks and
weights; the whole ``fit`` also checks that X is finite, which is a third read. Reads and fits take turns, and the
fastest of each are compared: other work on the machine only ever adds to a time.
"""

from __future__ import annotations

import argparse

import numpy as np
from _mnist import mnist, timed

from distillkit import LightweightCoreset
from distillkit.base import Outcome, Run, TrainingRows


class Timed(LightweightCoreset):
    """The method, with a clock around what it does itself."""

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        self.seconds_, outcome = timed(lambda: super(Timed, self)._distill(rows, run))
        return outcome


def once(X: np.ndarray, y: np.ndarray | None, budget: int) -> tuple[float, float, float]:
    """Return the seconds of two reads, of the selection and of the whole fit."""
    ones, model = np.ones(X.shape[1], dtype=X.dtype), Timed(budget=budget, random_state=0)
    reads = sum(timed(lambda: X @ ones)[0] for _ in range(2))
    whole, _ = timed(lambda: model.fit(X, y))
    return reads, model.seconds_, whole


def main() -> None:
    """Print the seconds of two reads, and how many times as long the selection and the whole fit take."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picks", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    X, y = mnist(arguments.rows)
    print(f"MNIST {X.shape[0]} x {X.shape[1]}, {arguments.picks} picks, fastest of {arguments.repeats}")
    for name, labels, budget in (("one group", None, arguments.picks), ("ten classes", y, arguments.picks // 10)):
        times = np.array([once(X, labels, budget) for _ in range(arguments.repeats)])
        reads, selection, whole = times.min(axis=0)
        print(
            f"{name}: two reads {1e3 * reads:.1f} ms, selection {1e3 * selection:.1f} ms = {selection / reads:.2f} times as "
            f"long, whole fit {1e3 * whole:.1f} ms = {whole / reads:.2f} times as long"
        )


if __name__ == "__main__":
    main()
