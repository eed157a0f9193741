"""Compare the reader of tables with that of pandas.

Usage::

    python benchmarks/perf/table_reader.py [--rows N] [--repeats R]

A CSV file with numbers, whole numbers, quoted text and a label is read by `pandas.read_csv`, by the
strict reader as text, and by the whole `load_rows`, which also finds and applies the types and
notes identifiers. The readers alternate, and the fastest of each is compared in CPU seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from distillkit.datasets import load_rows
from distillkit.datasets._read_table import read_table


def table(n_rows: int) -> pd.DataFrame:
    """Return a table of 21 columns of several types."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"x{i}": rng.normal(size=n_rows).round(4) for i in range(10)}
    columns |= {f"k{i}": rng.integers(0, 1000, n_rows) for i in range(5)}
    columns |= {f"c{i}": rng.choice(["red", "green", "blue, dark"], n_rows) for i in range(5)}
    return pd.DataFrame(columns | {"y": rng.choice(["a", "b"], n_rows)})


def cpu_seconds(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of a call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Print the CPU seconds of each reader, and their ratio to those of pandas."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        table(args.rows).to_csv(path, index=False)
        readers: dict[str, Callable[[], Any]] = {
            "pandas.read_csv": lambda: pd.read_csv(path),
            "read_table": lambda: read_table(path),
            "load_rows": lambda: load_rows(str(path), target="y"),
        }
        seconds = dict.fromkeys(readers, np.inf)
        for _ in range(args.repeats):
            for name, work in readers.items():
                seconds[name] = min(seconds[name], cpu_seconds(work))
    for name, value in seconds.items():
        print(f"{name:16} {value:6.3f} s  {value / seconds['pandas.read_csv']:5.2f} x pandas")


if __name__ == "__main__":
    main()
