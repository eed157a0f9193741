"""Hold k-means on real MNIST against its arithmetic floor, and k-means class by class against one of all rows.

Usage: ``DISTILLKIT_DATA=... python benchmarks/perf/kmeans_floor.py [--rows N] [--picks K] [--steps S]``

The floor of a step is the 2 n k d operations of its distances at the rate at which this machine multiplies the same matrices,
``X @ centroids.T``, measured in the same run before, between and after. The time of a step is the difference between runs of S + 2
and of 2 steps from the same start, divided by S: neither start nor end is in it. Then both ways of making a coreset of the same
size, start and end included: k-means of each class, and one of all rows. Seconds of CPU are given beside those of the clock,
because on a machine with other work only they can be compared; with one thread (``OMP_NUM_THREADS=1``) nothing in them is waiting.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _mnist import mnist, timed

from distillkit import KMeansCoreset
from distillkit.neighbors import kmeans


def both(work: Callable[[], Any]) -> np.ndarray:
    """Return the seconds of a call by the clock and of CPU."""
    cpu = time.process_time()
    seconds, _ = timed(work)
    return np.array([seconds, time.process_time() - cpu])


def product_seconds(X: np.ndarray, k: int, repeats: int = 5) -> np.ndarray:
    """Return the median seconds, by the clock and of CPU, of the products of all rows with k of them."""
    rows = np.ascontiguousarray(X[:: len(X) // k][:k])
    out = np.empty((len(X), k), dtype=X.dtype)
    return np.median([both(lambda: np.matmul(X, rows.T, out=out)) for _ in range(repeats)], axis=0)


def main() -> None:
    """Print the time of a step over the floor, and of one clustering over that of ten."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picks", type=int, default=600)
    parser.add_argument("--steps", type=int, default=10)
    arguments = parser.parse_args()
    X, y = mnist(arguments.rows)
    k, steps = arguments.picks, arguments.steps
    print(f"MNIST {X.shape[0]} x {X.shape[1]}, k = {k}", flush=True)
    kmeans(X[:2000], 20, max_iter=2)  # what is loaded on first use is not timed
    floors = [product_seconds(X, k)]
    short = both(lambda: kmeans(X, k, max_iter=2))
    floors.append(product_seconds(X, k))
    long = both(lambda: kmeans(X, k, max_iter=2 + steps))
    floors.append(product_seconds(X, k))
    floor, step = np.mean(floors, axis=0), (long - short) / steps
    rate = 2 * len(X) * k * X.shape[1] / floor / 1e9
    for name, i in (("clock", 0), ("CPU", 1)):
        print(
            f"{name}: floor {floor[i]:.3f} s per step ({rate[i]:.0f} GFLOP/s), k-means {step[i]:.3f} s per step = "
            f"{step[i] / floor[i]:.2f} times the floor; start, end and 2 steps {short[i]:.2f} s",
            flush=True,
        )
    by_class = both(lambda: KMeansCoreset(budget=k // 10, random_state=0).fit(X, y))
    whole = both(lambda: KMeansCoreset(budget=k, random_state=0).fit(X))
    for name, i in (("clock", 0), ("CPU", 1)):
        print(
            f"{name}: ten classes {by_class[i]:.2f} s, all rows as one {whole[i]:.2f} s: {whole[i] / by_class[i]:.1f} times"
        )


if __name__ == "__main__":
    main()
