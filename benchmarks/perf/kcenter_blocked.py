"""Time the blocked greedy k-center against the plain loop on real MNIST, and check that both pick the same rows.

Usage: ``DISTILLKIT_DATA=... python benchmarks/perf/kcenter_blocked.py [--rows N] [--picks K] [--blocks 16 32 64]``

The plain loop is the textbook's, one pass over all rows per pick, in float64, whose picks ours are. As a second yardstick
it runs in float32, where it reads half the bytes but rounding may decide between rows. All ratios are of one run.
"""

from __future__ import annotations

import argparse

import numpy as np
from _mnist import mnist, timed

from distillkit.neighbors import greedy_k_center


def plain_k_center(X: np.ndarray, k: int, start: int) -> np.ndarray:
    """Pick as the textbook does: one matrix-vector product over all rows per pick, in the precision of X."""
    norms = np.einsum("ij,ij->i", X, X)
    nearest, picks = np.full(len(X), np.inf, dtype=X.dtype), [start]
    while True:
        row = picks[-1]
        np.minimum(nearest, norms + norms[row] - 2 * (X @ X[row]), out=nearest)
        if len(picks) == k:
            return np.array(picks)
        picks.append(int(np.argmax(nearest)))


def main() -> None:
    """Print one line per plain loop and one per block size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picks", type=int, default=600)
    parser.add_argument("--blocks", type=int, nargs="+", default=[16, 32, 64])
    arguments = parser.parse_args()
    X, _ = mnist(arguments.rows)
    greedy_k_center(X[:1000], 10, start=0)  # what is loaded on first use is not timed
    print(f"MNIST {X.shape[0]} x {X.shape[1]}, {arguments.picks} picks")
    seconds, expected = {}, {}
    for dtype in (np.float64, np.float32):
        centred = (X - X.mean(axis=0, dtype=np.float64)).astype(dtype)
        seconds[dtype], expected[dtype] = timed(lambda rows=centred: plain_k_center(rows, arguments.picks, start=0))
        print(f"plain loop in {dtype.__name__}: {seconds[dtype]:6.2f} s")
    for block in arguments.blocks:
        taken, found = timed(lambda size=block: greedy_k_center(X, arguments.picks, start=0, block=size))
        same = np.array_equal(found.indices, expected[np.float64])
        ratios = [seconds[dtype] / taken for dtype in (np.float64, np.float32)]
        print(
            f"block {block:3d}: {taken:6.2f} s, {ratios[0]:4.1f} times faster than the float64 loop with "
            f"{'identical' if same else 'OTHER'} picks, {ratios[1]:4.1f} times faster than the float32 loop"
        )


if __name__ == "__main__":
    main()
