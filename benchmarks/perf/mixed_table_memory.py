"""Measure how many copies of a large mixed table a distiller needs in memory (Linux).

Usage::

    python benchmarks/perf/mixed_table_memory.py [--rows N] [--budget K] [--methods kmeans random]

The table has 15 columns of floats, 5 of integers, 8 of text or categories with 10 to 50 levels, one
of truth values and one of dates. Each case runs in a process of its own, which first distils a
small table, so that imported libraries are not counted. The peak is the largest resident memory of
the process during the fit, as the kernel counts it. The number of copies is

    (bytes of the frame + peak - resident memory before the fit) / bytes of the frame,

where the bytes of the frame are those of ``memory_usage(deep=True)``: the frame counts as one copy.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

LEVELS = (10, 15, 20, 25, 30, 35, 40, 50)


def mixed_table(n_rows: int, kind: str) -> pd.DataFrame:
    """Return a table whose labels are of type "category", "object" or "str"."""
    rng = np.random.default_rng(0)
    columns: dict[str, object] = {f"float{i}": rng.normal(size=n_rows) for i in range(15)}
    columns |= {f"integer{i}": rng.integers(0, 100, n_rows) for i in range(5)}
    for number, size in enumerate(LEVELS):
        levels, codes = [f"level {i}" for i in range(size)], rng.integers(0, size, n_rows)
        labels = pd.Categorical.from_codes(codes, levels)
        columns[f"label{number}"] = labels if kind == "category" else pd.Series(labels).astype(kind)
    columns["truth"] = rng.random(n_rows) < 0.5
    columns["date"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, n_rows), unit="D")
    return pd.DataFrame(columns)


def targets(n_rows: int, task: str) -> np.ndarray | None:
    """Return two classes, numbers, or None."""
    rng = np.random.default_rng(1)
    return {"classes": rng.integers(0, 2, n_rows), "numbers": rng.normal(size=n_rows), "none": None}[task]


def resident(entry: str) -> int:
    """Return VmRSS or VmHWM of this process, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition(f"{entry}:")[2].split()[0]) * 1024


def measure(method: str, kind: str, task: str, n_rows: int, budget: int) -> None:
    """Distil one table, and print one line."""
    from distillkit import KMeansCoreset, RandomSubset

    def distiller() -> KMeansCoreset | RandomSubset:
        if method == "random":
            return RandomSubset(budget, random_state=0)
        return KMeansCoreset(budget, max_iter=3, random_state=0, device="cpu")

    distiller().fit(mixed_table(2000, kind), targets(2000, task))
    X, y = mixed_table(n_rows, kind), targets(n_rows, task)
    size = int(X.memory_usage(deep=True).sum())
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # The peak starts from here.
    before, started = resident("VmRSS"), time.perf_counter()
    distiller().fit(X, y)
    seconds, added = time.perf_counter() - started, resident("VmHWM") - before
    print(
        f"{method:7} {kind:9} {task:8} frame {size / 1e6:5.0f} MB, added {added / 1e6:5.0f} MB, "
        f"{1 + added / size:.2f} copies, {seconds:.1f} s",
        flush=True,
    )


def main() -> None:
    """Print one line for each method, type of labels and task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--budget", type=int, default=100)
    parser.add_argument("--methods", nargs="+", default=["random", "kmeans"], choices=["random", "kmeans"])
    parser.add_argument("--kinds", nargs="+", default=["category", "object", "str"])
    parser.add_argument("--tasks", nargs="+", default=["classes"], choices=["classes", "numbers", "none"])
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        measure(*args.case, args.rows, args.budget)
        return
    options = ["--rows", str(args.rows), "--budget", str(args.budget)]
    for method in args.methods:
        for kind in args.kinds:
            for task in args.tasks:
                command = [sys.executable, __file__, *options, "--case", method, kind, task]
                subprocess.run(command, check=True)  # noqa: S603 (this script itself)


if __name__ == "__main__":
    main()
