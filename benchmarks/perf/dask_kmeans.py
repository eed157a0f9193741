r"""Compare k-means on two dask workers with k-means in one process: cost, seconds and memory.

Usage::

    python benchmarks/perf/dask_kmeans.py [--rows 20000000] [--clusters 100] [--no-alone]

The rows are a mixture of 200 Gaussians in 32 dimensions. The workers generate the chunks from their
numbers, anew in each pass, so that no process holds all rows but the one that clusters them in
memory. That one is a process of its own, too; at 20,000,000 rows it takes about 11 GB.

The memory of a worker is its peak resident memory minus what it was before the first chunk, next to
the bound that the documentation of `distillkit.neighbors.dask_kmeans` states: two chunks, 96 MiB of
temporary arrays, the sample, and the sums of eight chunks. The cost is the sum of the squared
distances of all rows to their centroids.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.neighbors import dask_kmeans, kmeans

COLUMNS, COMPONENTS, CHUNK = 32, 200, 250_000


def chunk_of(number: int, n_rows: int) -> np.ndarray:
    """Return the rows of a chunk, which its number determines."""
    centers = np.random.default_rng(0).normal(scale=2, size=(COMPONENTS, COLUMNS)).astype(np.float32)
    rng = np.random.default_rng([1, number])
    rows = rng.standard_normal((n_rows, COLUMNS), dtype=np.float32)
    for begin in range(0, n_rows, 10_000):  # without a second array of the size of the chunk
        part = rows[begin : begin + 10_000]
        part += centers[rng.integers(COMPONENTS, size=len(part))]
    return rows


def sizes_of(n_rows: int) -> list[int]:
    """Return the number of rows of each chunk."""
    return [min(CHUNK, n_rows - begin) for begin in range(0, n_rows, CHUNK)]


def memory(peak: bool = True) -> float:
    """Return the peak, or the current, resident memory of this process in MiB."""
    name = "VmHWM:" if peak else "VmRSS:"
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def by_dask(n_rows: int, k: int) -> dict[str, Any]:
    """Cluster the rows on two workers of one thread."""
    import dask
    from dask import array
    from distributed import Client, LocalCluster

    make = dask.delayed(chunk_of, pure=True)
    parts = [
        array.from_delayed(make(number, size), (size, COLUMNS), np.float32)
        for number, size in enumerate(sizes_of(n_rows))
    ]
    X = array.concatenate(parts)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        before = client.run(_warm_up)
        began = time.perf_counter()
        result = dask_kmeans(X, k)
        seconds = time.perf_counter() - began
        peaks = client.run(memory)
    sample = min(n_rows, max(50 * k, 20_000)) * (4 * COLUMNS + 8)
    bound = 2 * CHUNK * COLUMNS * 4 + 96 * 2**20 + 8 * 12 * k * COLUMNS + sample
    return {
        "cost": result.inertia,
        "seconds": round(seconds, 1),
        "steps": result.n_iter,
        "worker_mib": [round(peaks[worker] - before[worker]) for worker in peaks],
        "stated_mib": round(bound / 2**20),
        "worker_total_mib": [round(peak) for peak in peaks.values()],
    }


def _warm_up() -> float:
    """Import what the steps use, so that the memory of the rows is measured alone."""
    dask_kmeans.__module__  # noqa: B018 (importing this module has imported the steps)
    kmeans(chunk_of(0, 1000), 10, device="cpu")
    return memory(peak=False)


def alone(n_rows: int, k: int, results: Any) -> None:
    """Cluster the same rows in this process, and send the result."""
    sizes = sizes_of(n_rows)
    X, begin = np.empty((n_rows, COLUMNS), np.float32), 0
    for number, size in enumerate(sizes):
        X[begin : begin + size] = chunk_of(number, size)
        begin += size
    began = time.perf_counter()
    result = kmeans(X, k, device="cpu")
    seconds = time.perf_counter() - began
    results.put(
        {"cost": result.inertia, "seconds": round(seconds, 1), "steps": result.n_iter, "total_mib": round(memory())}
    )


def main() -> None:
    """Print a line for each way, and the ratio of the costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--no-alone", action="store_true", help="leave out the process that holds all rows")
    options = parser.parse_args()
    shared = by_dask(options.rows, options.clusters)
    print("dask ", json.dumps(shared), flush=True)
    if options.no_alone:
        return
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=alone, args=(options.rows, options.clusters, results))
    process.start()
    single = results.get()
    process.join()
    print("alone", json.dumps(single))
    print(f"cost of dask / cost of one process = {shared['cost'] / single['cost']:.4f}")


if __name__ == "__main__":
    main()
