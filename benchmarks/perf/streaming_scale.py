"""Stream rows from disk into a coreset: time per row, peak memory, and what the coreset costs in truth.

Usage: ``python benchmarks/perf/streaming_scale.py [--rows 1000000 3000000 10000000] [--coresets kmeans random]``

Writes one float32 file of the largest size (10,000,000 x 64: 2.6 GB) into a temporary folder, and deletes it. Rows are a
mixture of 10 Gaussians of unequal masses and widths. Each size is distilled in a process of its own, with the file's pages
dropped from the cache of the system before, so that rows come from the disk and peak memory is that of the distillation alone.

"kmeans" makes summaries of 20,000 rows by sampling and runs k-means once, on all that is held at the end; other names are
those of methods that make summaries and result alike.

The k-means cost of three solutions (the true centres, k-means of the coreset, random rows) on the weighted coreset, plus its
offset where it has one, is held against their cost on all rows. The second solution was fitted to the coreset: of m picked rows
with k centres it looks about 2 k / m too good, here 2 %.
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

CENTRES, BLOCK = 10, 100_000


def write_rows(path: Path, n_rows: int, n_features: int, seed: int) -> np.ndarray:
    """Write rows of the mixture block by block, in random order; return its centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=3, size=(CENTRES, n_features)).astype(np.float32)
    widths = rng.uniform(0.5, 2, size=CENTRES).astype(np.float32)
    masses = rng.dirichlet(np.full(CENTRES, 2.0))
    with path.open("wb") as file:
        for begin in range(0, n_rows, BLOCK):
            own = rng.choice(CENTRES, size=min(BLOCK, n_rows - begin), p=masses)
            noise = rng.standard_normal((len(own), n_features), dtype=np.float32)
            file.write((centres[own] + noise * widths[own, None]).tobytes())
        file.flush()
        os.fsync(file.fileno())
    return centres


def drop_cache(path: Path) -> None:
    """Ask the system to forget the file's pages."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def peak_mib() -> float:
    """Peak resident memory of this program; what getrusage says includes that of its parent before the exec."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def distil(path: Path, shape: tuple[int, int], coreset: str, budget: int, output: Path) -> None:
    """Do one distillation and print its seconds and the peak memory of the process, as JSON."""
    before = peak_mib()
    if (
        coreset == "kmeans"
    ):  # of samples: k-means of ten million rows themselves takes a thousand times longer than a sample
        method = {"coreset": KMeansCoreset(max_iter=5), "summary": "random", "oversampling": 20}
        model = StreamingCoreset(budget=budget, **method, random_state=0)
    else:
        model = StreamingCoreset(budget=budget, coreset=coreset, random_state=0)
    began, cpu = time.perf_counter(), time.process_time()
    model.fit(np.memmap(path, dtype=np.float32, mode="r", shape=shape))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = peak_mib()
    model.distilled_.save(output)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mib": peak, "before_mib": before}))


def cost(X: np.ndarray, weight: np.ndarray | None, centres: np.ndarray) -> float:
    """Return the weighted sum of squared distances to the nearest centre, block by block."""
    total, norms = 0.0, np.einsum("ij,ij->i", centres, centres)
    for begin in range(0, len(X), BLOCK):
        rows = np.asarray(X[begin : begin + BLOCK], dtype=np.float32)
        squares = np.einsum("ij,ij->i", rows, rows) + (norms - 2 * rows @ centres.T).min(axis=1)
        total += float(squares.sum(dtype=np.float64) if weight is None else squares @ weight[begin : begin + BLOCK])
    return total


def worst_ratio(X: np.ndarray, small: DistilledSet, centres: np.ndarray) -> tuple[float, list[float]]:
    """Return the largest relative error of the cost, and the ratios to the cost on all rows."""
    weight = np.asarray(small.sample_weight)
    picks = np.random.default_rng(1).integers(len(X), size=CENTRES)
    solutions = [
        centres,
        kmeans(small.X, CENTRES, weights=weight, n_init=3).centroids.astype(np.float32),
        np.array(X[np.sort(picks)]),
    ]
    offset = small.provenance.get("offset", 0.0)
    ratios = [(cost(small.X, weight, one) + offset) / cost(X, None, one) for one in solutions]
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
    arguments = parser.parse_args()
    if arguments.child:
        path, rows, coreset, output = arguments.child
        distil(Path(path), (int(rows), arguments.features), coreset, arguments.budget, Path(output))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder, most = Path(name), max(arguments.rows)
        needed = 4 * most * arguments.features
        if shutil.disk_usage(folder).free < 1.2 * needed:
            sys.exit(f"{folder} needs {needed / 1e9:.1f} GB of free space: give --folder or fewer --rows.")
        centres = write_rows(folder / "rows.f32", most, arguments.features, seed=0)
        for coreset in arguments.coresets:
            first: float | None = None
            for rows in arguments.rows:
                drop_cache(folder / "rows.f32")
                child = ["--child", str(folder / "rows.f32"), str(rows), coreset, str(folder / "small.safetensors")]
                sizes = ["--features", str(arguments.features), "--budget", str(arguments.budget)]
                told = subprocess.run(  # noqa: S603 (this very script)
                    [sys.executable, __file__, *sizes, *child], check=True, capture_output=True, text=True
                )
                measured = json.loads(told.stdout)
                per_row = measured["cpu"] / rows
                first = per_row if first is None else first
                small = DistilledSet.load(folder / "small.safetensors")
                X = np.memmap(folder / "rows.f32", dtype=np.float32, mode="r", shape=(rows, arguments.features))
                error, ratios = worst_ratio(X, small, centres)
                print(
                    f"{coreset:8s} {rows:>10,} rows -> {len(small)}: {measured['seconds']:6.1f} s, {measured['cpu']:.1f} s of CPU, "
                    f"CPU per row {per_row / first:.2f} of the first, peak {measured['peak_mib']:.0f} MiB "
                    f"({measured['before_mib']:.0f} before), cost ratios {' '.join(f'{ratio:.4f}' for ratio in ratios)}, "
                    f"largest error {error:.2%}, weights sum to {np.sum(small.sample_weight):,.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
