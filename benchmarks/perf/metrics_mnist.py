"""Seconds of each metric of stage "data", with its floors, for 100 distilled rows of MNIST.

Run it with ``python benchmarks/perf/metrics_mnist.py [--draws 10] [--rows 60000] [NAME ...]``. It
needs MNIST in the folder that DISTILLKIT_DATA names. The time of what all metrics share, such as
features, counts for the first metric that needs it.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path

import numpy as np

from distillkit.bench.evaluation._data_metrics import measure_data
from distillkit.distilled import DistilledSet
from distillkit.metrics import Reference
from distillkit.plugins import get_manager


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="names of metrics; all of stage data by default")
    parser.add_argument("--draws", type=int, default=10, help="random sets for the floors")
    parser.add_argument("--rows", type=int, default=60_000, help="training rows")
    parser.add_argument("--per-class", type=int, default=10, help="distilled rows of each class")
    args = parser.parse_args()
    manager = get_manager()
    data = manager.get("dataset", "mnist").load()(Path(os.environ["DISTILLKIT_DATA"]))
    X, y = data.X_train[: args.rows], data.y_train[: args.rows]
    rng = np.random.default_rng(0)
    picked = [rng.choice(np.flatnonzero(y == label), args.per_class, replace=False) for label in range(10)]
    rows = np.concatenate(picked)
    distilled = DistilledSet(X[rows], y[rows], indices=rows, classes=np.unique(y))
    specs = {name: spec for name, spec in manager.short_specs("metric").items() if spec.stage == "data"}
    start, start_cpu = time.perf_counter(), time.process_time()
    reference = Reference(X, y, task="classification")
    print(f"{'metric':24}{'wall s':>8}{'CPU s':>8}{'value':>11}{'picked':>11}{'fresh':>11}{'z':>7}  note")
    for name in args.names or specs:
        wall, cpu = time.perf_counter(), time.process_time()
        result = measure_data([name], reference, distilled, draws=args.draws)[name]
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        means = [None if result[part] is None else result[part][0] for part in ("picked", "fresh")]
        numbers = [f"{'-' if value is None else format(value, '.4g'):>11}" for value in (result["value"], *means)]
        z = "-" if result["z"] is None else f"{result['z']:.1f}"
        print(f"{name:24}{wall:8.2f}{cpu:8.2f}{''.join(numbers)}{z:>7}  {result['note']}", flush=True)
    total, total_cpu = time.perf_counter() - start, time.process_time() - start_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{'all':24}{total:8.2f}{total_cpu:8.2f}  peak {peak:.2f} GiB")


if __name__ == "__main__":
    main()
