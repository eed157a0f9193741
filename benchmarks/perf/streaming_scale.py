r"""Measure the time per row, the peak memory and the quality of a coreset of rows on disk.

Usage::

    python benchmarks/perf/streaming_scale.py [--rows 1000000 3000000 10000000] \
        [--coresets kmeans random]

The script writes one float32 file of the largest size (10,000,000 x 64: 2.6 GB) into a temporary
folder, and deletes it at the end. The rows are a mixture of 10 Gaussians with unequal weights and
widths. Each size is distilled in a separate process, after the pages of the file have been dropped
from the cache of the system. Rows are therefore read from the disk, and the peak memory is that of
the distillation alone.

With "kmeans", summaries of 20,000 rows are made by sampling, and k-means runs once, on the final
summary. Other names are those of methods that make both the summaries and the result.

The k-means cost of three solutions (the true centers, k-means of the coreset, random rows) on the
weighted coreset, plus its offset if it has one, is compared with their cost on all rows. The second
solution is fitted to the coreset, so its cost is underestimated by a fraction of about 2 k / m for
k centers and m rows.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from distillkit import KMeansCoreset, StreamingCoreset
from distillkit.distilled import DistilledSet
from distillkit.neighbors import kmeans

N_CENTERS, BLOCK = 10, 100_000


def write_rows(path: Path, n_rows: int, n_features: int, seed: int) -> np.ndarray:
    """Write rows of the mixture block by block, in random order, and return its centers."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(scale=3, size=(N_CENTERS, n_features)).astype(np.float32)
    widths = rng.uniform(0.5, 2, size=N_CENTERS).astype(np.float32)
    masses = rng.dirichlet(np.full(N_CENTERS, 2.0))
    with path.open("wb") as file:
        for begin in range(0, n_rows, BLOCK):
            components = rng.choice(N_CENTERS, size=min(BLOCK, n_rows - begin), p=masses)
            noise = rng.standard_normal((len(components), n_features), dtype=np.float32)
            file.write((centers[components] + noise * widths[components, None]).tobytes())
        file.flush()
        os.fsync(file.fileno())
    return centers


def drop_cache(path: Path) -> None:
    """Ask the system to drop the pages of a file from its cache."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def peak_mib() -> float:
    """Return the peak resident memory of this process in MiB.

    getrusage would include the memory of its parent before the exec.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def distil(path: Path, shape: tuple[int, int], coreset: str, budget: int, output: Path) -> None:
    """Run one distillation and print its seconds and the peak memory of the process as JSON."""
    before = peak_mib()
    if coreset == "kmeans":  # Summaries are samples, because k-means of all rows would take too long.
        method = {"coreset": KMeansCoreset(max_iter=5), "summary": "random", "oversampling": 20}
        model = StreamingCoreset(budget=budget, **method, random_state=0)
    else:
        model = StreamingCoreset(budget=budget, coreset=coreset, random_state=0)
    started, cpu = time.perf_counter(), time.process_time()
    model.fit(np.memmap(path, dtype=np.float32, mode="r", shape=shape))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = peak_mib()
    model.distilled_.save(output)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mib": peak, "before_mib": before}))


def cost(X: np.ndarray, weight: np.ndarray | None, centers: np.ndarray) -> float:
    """Return the weighted sum of squared distances to the nearest center, block by block."""
    total, norms = 0.0, np.einsum("ij,ij->i", centers, centers)
    for begin in range(0, len(X), BLOCK):
        rows = np.asarray(X[begin : begin + BLOCK], dtype=np.float32)
        squares = np.einsum("ij,ij->i", rows, rows) + (norms - 2 * rows @ centers.T).min(axis=1)
        total += float(squares.sum(dtype=np.float64) if weight is None else squares @ weight[begin : begin + BLOCK])
    return total


def worst_ratio(X: np.ndarray, small: DistilledSet, centers: np.ndarray) -> tuple[float, list[float]]:
    """Return the largest relative error of the costs, and their ratios to those on all rows."""
    weight = np.asarray(small.sample_weight)
    picks = np.random.default_rng(1).integers(len(X), size=N_CENTERS)
    solutions = [
        centers,
        kmeans(small.X, N_CENTERS, weights=weight, n_init=3).centroids.astype(np.float32),
        np.array(X[np.sort(picks)]),
    ]
    offset = small.provenance.get("offset", 0.0)
    ratios = [(cost(small.X, weight, solution) + offset) / cost(X, None, solution) for solution in solutions]
    return max(abs(ratio - 1) for ratio in ratios), ratios


def main() -> None:
    """Print one line per method and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--budget", type=int, default=1000)
    parser.add_argument("--coresets", nargs="+", default=["kmeans"])
    parser.add_argument(
        "--folder", type=Path, help="where the file is written [default: the system's temporary folder]"
    )
    parser.add_argument("--child", nargs=4, metavar=("FILE", "ROWS", "CORESET", "OUTPUT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        path, rows, coreset, output = args.child
        distil(Path(path), (int(rows), args.features), coreset, args.budget, Path(output))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder, max_rows = Path(name), max(args.rows)
        n_bytes = 4 * max_rows * args.features
        if shutil.disk_usage(folder).free < 1.2 * n_bytes:
            sys.exit(f"{folder} needs {n_bytes / 1e9:.1f} GB of free space: give --folder or fewer --rows.")
        centers = write_rows(folder / "rows.f32", max_rows, args.features, seed=0)
        for coreset in args.coresets:
            first: float | None = None
            for rows in args.rows:
                drop_cache(folder / "rows.f32")
                child = ["--child", str(folder / "rows.f32"), str(rows), coreset, str(folder / "small.safetensors")]
                sizes = ["--features", str(args.features), "--budget", str(args.budget)]
                process = subprocess.run(  # noqa: S603 (runs this script itself)
                    [sys.executable, __file__, *sizes, *child], check=True, capture_output=True, text=True
                )
                measured = json.loads(process.stdout)
                per_row = measured["cpu"] / rows
                first = per_row if first is None else first
                small = DistilledSet.load(folder / "small.safetensors")
                X = np.memmap(folder / "rows.f32", dtype=np.float32, mode="r", shape=(rows, args.features))
                error, ratios = worst_ratio(X, small, centers)
                print(
                    f"{coreset:8s} {rows:>10,} rows -> {len(small)}: {measured['seconds']:6.1f} s, "
                    f"{measured['cpu']:.1f} s of CPU, CPU per row {per_row / first:.2f} of the first, "
                    f"peak {measured['peak_mib']:.0f} MiB ({measured['before_mib']:.0f} before), "
                    f"cost ratios {' '.join(f'{ratio:.4f}' for ratio in ratios)}, "
                    f"largest error {error:.2%}, weights sum to {np.sum(small.sample_weight):,.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
