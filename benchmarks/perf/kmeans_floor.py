"""Hold k-means on real MNIST against its arithmetic floor, and k-means class by class against one of all rows.

Usage: ``DISTILLKIT_DATA=... python benchmarks/perf/kmeans_floor.py [--rows N] [--picks K] [--steps S]``

The floor of a step is the 2 n k d operations of its distances at the rate at which this machine multiplies the same matrices,
``X @ centroids.T``, in turn with the steps from one k-means++ start. The fastest of both are compared, and the medians. Then both ways of making a coreset of the same size, start and end included: k-means of each class, and one of all rows;
their ratio should be at least 5. Seconds of CPU are given beside those of the clock, because on a machine with other work only
they can be compared; with one thread (``OMP_NUM_THREADS=1``) nothing in them is waiting.
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


def both(work: Callable[[], Any]) -> tuple[np.ndarray, Any]:
    """Return the seconds of a call, by the clock and of CPU, and what it returned."""
    cpu = time.process_time()
    seconds, result = timed(work)
    return np.array([seconds, time.process_time() - cpu]), result


def draw(X: np.ndarray, k: int) -> np.ndarray:
    """Draw the start."""
    trials = 2 + int(np.log(k))
    return X[draw_centers(X, k, seed=0, trials=trials, weights=None, should_stop=None).indices]


def step_seconds(X: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take two steps; return the seconds of the second, by the clock and of CPU, and the centroids."""
    began = np.zeros(2)

    def between() -> bool:
        began[:] = time.perf_counter(), time.process_time()
        return False

    centres, _, _ = lloyd(X, centres, None, max_iter=2, spherical=False, should_stop=between)
    return np.array([time.perf_counter(), time.process_time()]) - began, centres


def main() -> None:
    """Print the time of a step over the floor, and of one clustering over that of ten."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picks", type=int, default=600)
    parser.add_argument("--steps", type=int, default=10)
    arguments = parser.parse_args()
    X, y = mnist(arguments.rows)
    k = arguments.picks
    print(f"MNIST {X.shape[0]} x {X.shape[1]}, k = {k}", flush=True)
    kmeans(X[:2000], 20, max_iter=2)  # what is loaded on first use is not timed
    taken, centres = both(lambda: draw(X, k))
    products = np.empty((len(X), k), dtype=X.dtype)
    floors, steps = [], []
    for _ in range(arguments.steps):
        floors.append(both(partial(np.matmul, X, centres.T, out=products))[0])
        seconds, centres = step_seconds(X, centres)
        steps.append(seconds)
    floor, step = np.min(floors[1:], axis=0), np.min(steps, axis=0)  # at first, memory is still to be had
    middle = np.median(steps, axis=0) / np.median(floors[1:], axis=0)
    rate = 2 * len(X) * k * X.shape[1] / floor / 1e9
    for name, i in (("clock", 0), ("CPU", 1)):
        print(
            f"{name}: floor {floor[i]:.3f} s per step ({rate[i]:.0f} GFLOP/s), k-means {step[i]:.3f} s per step = "
            f"{step[i] / floor[i]:.2f} times the floor (medians: {middle[i]:.2f}); start {taken[i]:.2f} s",
            flush=True,
        )
    by_class = both(lambda: KMeansCoreset(budget=k // 10, random_state=0).fit(X, y))[0]
    whole = both(lambda: KMeansCoreset(budget=k, random_state=0).fit(X))[0]
    for name, i in (("clock", 0), ("CPU", 1)):
        print(
            f"{name}: ten classes {by_class[i]:.2f} s, all rows as one {whole[i]:.2f} s: {whole[i] / by_class[i]:.1f} times"
        )


if __name__ == "__main__":
    main()
