"""Compare the time of k-means on MNIST with a lower bound, and k-means per class with one for all.

Usage::

    DISTILLKIT_DATA=... python benchmarks/perf/kmeans_floor.py [--rows N] [--picks K] [--steps S]

The lower bound of a Lloyd step is the time of its 2 n k d operations, measured as the matrix
product ``X @ centroids.T`` on the same machine. Products and steps alternate, from one k-means++
start; the fastest of each and the medians are compared.

Then two coresets of the same size are timed as a whole: k-means in each class, and one k-means of
all rows. The first should be at least five times faster.

CPU seconds are printed as well, because wall-clock times are not comparable on a machine with other
load. With one thread (``OMP_NUM_THREADS=1``) they include no waiting.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from _mnist import mnist, timed

from distillkit import KMeansCoreset
from distillkit.neighbors import kmeans
from distillkit.neighbors._kmeans_start import draw_centers
from distillkit.neighbors._lloyd import lloyd


def timed_with_cpu(work: Callable[[], Any]) -> tuple[np.ndarray, Any]:
    """Return the wall-clock and the CPU seconds of a call, and its return value."""
    cpu = time.process_time()
    seconds, result = timed(work)
    return np.array([seconds, time.process_time() - cpu]), result


def draw_start(X: np.ndarray, k: int) -> np.ndarray:
    """Return the centers of a greedy k-means++ start."""
    trials = 2 + int(np.log(k))
    return X[draw_centers(X, k, seed=0, trials=trials, weights=None, should_stop=None).indices]


def step_seconds(X: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make two steps; return the wall-clock and CPU seconds of the second, and the centroids."""
    started = np.zeros(2)

    def between() -> bool:
        started[:] = time.perf_counter(), time.process_time()
        return False

    centers, _, _ = lloyd(X, centers, None, max_iter=2, spherical=False, should_stop=between)
    return np.array([time.perf_counter(), time.process_time()]) - started, centers


def main() -> None:
    """Print the time of a step relative to its bound, and of one clustering relative to ten."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picks", type=int, default=600)
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args()
    X, y = mnist(args.rows)
    k = args.picks
    print(f"MNIST {X.shape[0]} x {X.shape[1]}, k = {k}", flush=True)
    kmeans(X[:2000], 20, max_iter=2)  # Warm up, so that imports are not measured.
    start_seconds, centers = timed_with_cpu(lambda: draw_start(X, k))
    products = np.empty((len(X), k), dtype=X.dtype)
    floors, steps = [], []
    for _ in range(args.steps):
        floors.append(timed_with_cpu(partial(np.matmul, X, centers.T, out=products))[0])
        seconds, centers = step_seconds(X, centers)
        steps.append(seconds)
    # The first product is left out because it allocates memory.
    floor, step = np.min(floors[1:], axis=0), np.min(steps, axis=0)
    median_ratio = np.median(steps, axis=0) / np.median(floors[1:], axis=0)
    rate = 2 * len(X) * k * X.shape[1] / floor / 1e9
    for name, i in (("clock", 0), ("CPU", 1)):
        print(
            f"{name}: floor {floor[i]:.3f} s per step ({rate[i]:.0f} GFLOP/s), k-means {step[i]:.3f} s per step = "
            f"{step[i] / floor[i]:.2f} times the floor (medians: {median_ratio[i]:.2f}); "
            f"start {start_seconds[i]:.2f} s",
            flush=True,
        )
    by_class = timed_with_cpu(lambda: KMeansCoreset(budget=k // 10, random_state=0).fit(X, y))[0]
    whole = timed_with_cpu(lambda: KMeansCoreset(budget=k, random_state=0).fit(X))[0]
    for name, i in (("clock", 0), ("CPU", 1)):
        print(
            f"{name}: ten classes {by_class[i]:.2f} s, all rows as one group {whole[i]:.2f} s: "
            f"{whole[i] / by_class[i]:.1f} times as long"
        )


if __name__ == "__main__":
    main()
