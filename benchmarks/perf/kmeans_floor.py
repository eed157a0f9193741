"""Hold k-means on real MNIST against its arithmetic floor, and k-means class by class against one of all rows.

Usage: ``DISTILLKIT_DATA=... python benchmarks/perf/kmeans_floor.py [--rows N] [--picks K] [--steps S]``

The floor of a step is the 2 n k d operations of its distances at the rate at which this machine multiplies the same matrices,
``X @ centroids.T``, measured in the same run before and after. The time of a step is the difference between runs of S + 2 and of
2 steps from the same start, divided by S: neither start nor end is in it. Then both ways of making a coreset of the same size,
start and end included: k-means of each class, and one of all rows.
"""

from __future__ import annotations

import argparse

import numpy as np
from _mnist import mnist, timed

from distillkit import KMeansCoreset
from distillkit.neighbors import kmeans


def product_seconds(X: np.ndarray, k: int, repeats: int = 5) -> float:
    """Return the median seconds of the products of all rows with k of them."""
    rows = np.ascontiguousarray(X[:: len(X) // k][:k])
    out = np.empty((len(X), k), dtype=X.dtype)
    return float(np.median([timed(lambda: np.matmul(X, rows.T, out=out))[0] for _ in range(repeats)]))


def main() -> None:
    """Print the time of a step over the floor, and of one clustering over that of ten."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picks", type=int, default=600)
    parser.add_argument("--steps", type=int, default=10)
    arguments = parser.parse_args()
    X, y = mnist(arguments.rows)
    k = arguments.picks
    print(f"MNIST {X.shape[0]} x {X.shape[1]}, k = {k}")
    kmeans(X[:2000], 20, max_iter=2)  # what is loaded on first use is not timed
    before = product_seconds(X, k)
    short = timed(lambda: kmeans(X, k, max_iter=2))[0]
    between = product_seconds(X, k)
    long, found = timed(lambda: kmeans(X, k, max_iter=2 + arguments.steps))
    floor = float(np.mean([before, between, product_seconds(X, k)]))
    step = (long - short) / (found.n_iter - 2)
    rate = 2 * len(X) * k * X.shape[1] / floor / 1e9
    print(
        f"floor {floor:.3f} s per step ({rate:.0f} GFLOP/s), k-means {step:.3f} s per step = {step / floor:.2f} times the floor"
    )
    print(f"start, end and 2 steps: {short:.2f} s = {short / floor:.1f} times the floor of a step")
    by_class = timed(lambda: KMeansCoreset(budget=k // 10, random_state=0).fit(X, y))[0]
    whole = timed(lambda: KMeansCoreset(budget=k, random_state=0).fit(X))[0]
    print(f"ten classes {by_class:.2f} s, all rows as one {whole:.2f} s: {whole / by_class:.1f} times as long")


if __name__ == "__main__":
    main()
