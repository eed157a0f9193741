r"""Compare the time of the lightweight coreset of MNIST with that of reading the rows twice.

Usage::

    DISTILLKIT_DATA=... python benchmarks/perf/lightweight_two_reads.py \
        [--rows N] [--picks K] [--repeats R]

The coreset must read the rows twice: for the means, and for the distances to them. A read is a
float32 sum over X, with as many threads as the coreset uses. For comparison, a matrix-vector
product ``X @ v`` with the same threads is timed, the fastest possible read. The time of the
selection is that from validated rows to selected rows and weights; the whole ``fit`` also checks
that X is finite, which is a third read. Reads and fits alternate, and the fastest of each are
compared, because other load can only increase a time.
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
    """The coreset with a timer around its selection."""

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        self.seconds_, outcome = timed(lambda: super(Timed, self)._distill(rows, run))
        return outcome


def read_seconds(X: np.ndarray, read: Callable[[np.ndarray], Any]) -> float:
    """Return the seconds of one read of X, which is divided among the threads."""
    parts = np.array_split(X, thread_count())
    with block_threads(X.size) as each:
        return timed(lambda: list(each(read, parts)))[0]


def once(X: np.ndarray, y: np.ndarray | None, budget: int) -> tuple[float, float, float, float]:
    """Return the seconds of two sums, two matrix-vector products, the selection and the fit."""
    ones, model = np.ones(X.shape[1], dtype=X.dtype), Timed(budget=budget, random_state=0)
    sums = sum(read_seconds(X, np.sum) for _ in range(2))
    products = sum(read_seconds(X, lambda rows: rows @ ones) for _ in range(2))
    whole, _ = timed(lambda: model.fit(X, y))
    return sums, products, model.seconds_, whole


def main() -> None:
    """Print the seconds of two reads, of the selection and of the whole fit, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picks", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=15)
    args = parser.parse_args()
    X, y = mnist(args.rows)
    print(f"MNIST {X.shape[0]} x {X.shape[1]}, {args.picks} picks, {thread_count()} threads, fastest of {args.repeats}")
    for name, labels, budget in (("one group", None, args.picks), ("ten classes", y, args.picks // 10)):
        times = np.array([once(X, labels, budget) for _ in range(args.repeats)])
        reads, products, selection, whole = times.min(axis=0)
        print(
            f"{name}: two reads {1e3 * reads:.1f} ms, "
            f"selection {1e3 * selection:.1f} ms = {selection / reads:.2f} times as long, "
            f"whole fit {1e3 * whole:.1f} ms = {whole / reads:.2f} times as long; "
            f"two products X @ v {1e3 * products:.1f} ms, selection {selection / products:.2f} times as long"
        )


if __name__ == "__main__":
    main()
