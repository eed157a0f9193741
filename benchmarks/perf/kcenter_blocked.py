"""Time the blocked greedy k-center against the plain loop, and check that both pick the same rows.

Usage: ``python benchmarks/perf/kcenter_blocked.py [--rows N] [--picks K] [--blocks 8 16 32 64]``

Rows are those of MNIST (scaled to [0, 1]) if ``DISTILLKIT_DATA`` holds it, else synthetic ones. The plain loop is the
textbook's: one pass over all rows per pick, in float64 as the blocked one.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

from distillkit.neighbors import greedy_k_center


def load_rows() -> tuple[str, np.ndarray]:
    """Return a name and float32 rows: MNIST's 60,000 x 784, or 20,000 x 256 around 50 centres."""
    path = Path(os.environ.get("DISTILLKIT_DATA", "data")) / "MNIST" / "raw" / "train-images-idx3-ubyte"
    if path.is_file():
        pixels = np.frombuffer(path.read_bytes(), dtype=np.uint8, offset=16)  # a header of four 4-byte numbers
        return "MNIST", pixels.reshape(-1, 784).astype(np.float32) / 255
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=3, size=(50, 256))
    return "synthetic", (centres[rng.integers(50, size=20_000)] + rng.normal(size=(20_000, 256))).astype(np.float32)


def plain_k_center(X: np.ndarray, k: int, start: int) -> np.ndarray:
    """Pick as the textbook does: one matrix-vector product over all rows per pick."""
    X = X - X.mean(axis=0, dtype=np.float64)
    norms = np.einsum("ij,ij->i", X, X)
    nearest, picks = np.full(len(X), np.inf), [start]
    while True:
        row = picks[-1]
        np.minimum(nearest, norms + norms[row] - 2 * (X @ X[row]), out=nearest)
        if len(picks) == k:
            return np.array(picks)
        picks.append(int(np.argmax(nearest)))


def main() -> None:
    """Print one line per block size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--picks", type=int, default=300)
    parser.add_argument("--blocks", type=int, nargs="+", default=[8, 16, 32, 64])
    arguments = parser.parse_args()
    name, X = load_rows()
    X = X[: arguments.rows]
    began = time.perf_counter()
    expected = plain_k_center(X, arguments.picks, start=0)
    plain = time.perf_counter() - began
    print(f"{name} {X.shape[0]} x {X.shape[1]}, {arguments.picks} picks; plain loop {plain:.2f} s")
    for block in arguments.blocks:
        began = time.perf_counter()
        found = greedy_k_center(X, arguments.picks, start=0, block=block)
        seconds = time.perf_counter() - began
        same = np.array_equal(found.indices, expected)
        print(f"block {block:3d}: {seconds:6.2f} s, ratio {plain / seconds:4.1f}, identical picks: {same}")


if __name__ == "__main__":
    main()
