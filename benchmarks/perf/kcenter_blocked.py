r"""Time the blocked greedy k-center against a plain loop on MNIST, and compare the selected rows.

Usage::

    DISTILLKIT_DATA=... python benchmarks/perf/kcenter_blocked.py \
        [--rows N] [--picks K] [--blocks 16 32 64]

The plain loop makes one pass over all rows per selected row, in float64; the blocked version must
select the same rows. For comparison, the loop also runs in float32, which reads half the bytes but
may select other rows because of rounding. All times are of the same run.
"""

from __future__ import annotations

import argparse

import numpy as np
from _mnist import mnist, timed

from distillkit.neighbors import greedy_k_center


def plain_k_center(X: np.ndarray, k: int, start: int) -> np.ndarray:
    """Select rows by the plain algorithm, with one matrix-vector product per selected row."""
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
    args = parser.parse_args()
    X, _ = mnist(args.rows)
    greedy_k_center(X[:1000], 10, start=0)  # Warm up, so that imports are not measured.
    print(f"MNIST {X.shape[0]} x {X.shape[1]}, {args.picks} picks")
    seconds, expected = {}, {}
    for dtype in (np.float64, np.float32):
        centered = (X - X.mean(axis=0, dtype=np.float64)).astype(dtype)
        seconds[dtype], expected[dtype] = timed(lambda rows=centered: plain_k_center(rows, args.picks, start=0))
        print(f"plain loop in {dtype.__name__}: {seconds[dtype]:6.2f} s")
    for block in args.blocks:
        elapsed, selection = timed(lambda size=block: greedy_k_center(X, args.picks, start=0, block=size))
        same = np.array_equal(selection.indices, expected[np.float64])
        ratios = [seconds[dtype] / elapsed for dtype in (np.float64, np.float32)]
        print(
            f"block {block:3d}: {elapsed:6.2f} s, {ratios[0]:4.1f} times faster than the float64 loop with "
            f"{'identical' if same else 'OTHER'} picks, {ratios[1]:4.1f} times faster than the float32 loop"
        )


if __name__ == "__main__":
    main()
