r"""Measure the time and the memory of facility location on MNIST.

Usage::

    DISTILLKIT_DATA=... python benchmarks/perf/facility_location_mnist.py \
        [--rows N] [--picks K] [--neighbors T]

The method runs once with all rows in one group and once class by class, each in a separate process.
The growth of memory is the peak resident memory of the process minus the resident memory before the
fit, which includes the data. For comparison, a matrix of all distances takes 4 n^2 bytes. The time
is compared with the 2 n^2 d operations of these distances at the rate of matrix products on the
same machine. (Distances are symmetric, so half of them suffice.)
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from _mnist import mnist, timed

from distillkit import FacilityLocationCoreset


def resident_mib(name: str) -> float:
    """Return the resident memory of this process (VmRSS) or its peak (VmHWM) in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def product_rate(X: np.ndarray) -> float:
    """Return the floating-point operations per second of a product of 4,096 rows, best of five."""
    part = X[:4096]
    return 2 * len(part) ** 2 * X.shape[1] / min(timed(lambda: part @ part.T)[0] for _ in range(5))


def one_run(rows: int, picks: int, neighbors: int | None, *, by_class: bool) -> None:
    """Run one fit and print its time and memory."""
    X, y = mnist(rows)
    labels, budget = (y, picks // 10) if by_class else (None, picks)
    counts = np.bincount(y) if by_class else np.array([len(X)])
    FacilityLocationCoreset(budget=5, n_neighbors=8).fit(X[:500])  # Warm up, so that imports are not measured.
    rate, before = product_rate(X), resident_mib("VmRSS")
    model = FacilityLocationCoreset(budget=budget, n_neighbors=neighbors)
    cpu = time.process_time()
    seconds, _ = timed(lambda: model.fit(X, labels))
    cpu = time.process_time() - cpu
    floor = 2 * float((counts.astype(float) ** 2).sum()) * X.shape[1] / rate
    print(
        f"{'ten classes' if by_class else 'one group'}: {seconds:.1f} s ({cpu:.1f} s of CPU), "
        f"{seconds / floor:.2f} times the {floor:.1f} s of all distances at {rate / 1e9:.0f} GFLOP/s, "
        f"memory grew by {resident_mib('VmHWM') - before:.0f} MiB "
        f"(all distances: {4 * counts.max() ** 2 / 2**20:.0f} MiB), "
        f"{model.history_[0]['n_neighbors']} neighbors, guarantee {model.guarantee_:.3f}",
        flush=True,
    )


def main() -> None:
    """Print one line for one group and one for ten classes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--picks", type=int, default=600)
    parser.add_argument("--neighbors", type=int, default=None, help="n_neighbors [default: that of the estimator]")
    parser.add_argument("--only", choices=["one-group", "ten-classes"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        by_class = args.only == "ten-classes"
        one_run(args.rows, args.picks, args.neighbors, by_class=by_class)
        return
    print(f"MNIST {args.rows} rows, {args.picks} picks", flush=True)
    for only in ("one-group", "ten-classes"):
        subprocess.run([sys.executable, *sys.argv, "--only", only], check=True)  # noqa: S603 (this very script)


if __name__ == "__main__":
    main()
