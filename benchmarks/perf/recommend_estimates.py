"""Compares the seconds that recommend estimates with measured ones: ten methods, five data sets.

Run it from the root of the repository, with the folder of the data in ``DISTILLKIT_DATA``:
``python benchmarks/perf/recommend_estimates.py``. Both numbers are the smaller of wall-clock and
processor seconds, so that other programs disturb them less, and wall-clock seconds for methods
that take steps until a limit.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.advice._data import Data
from distillkit.advice._probe import Probe, is_time_bound
from distillkit.budget import Budget
from distillkit.datasets import load_rows
from distillkit.plugins import get_manager
from distillkit.plugins._methods import make_method
from distillkit.utils._cpu_time import timed_cpu

METHODS = (
    "random",
    "kmeans",
    "kcenter",
    "herding",
    "facility-location",
    "lightweight",
    "sensitivity",
    "craig",
    "mixture",
    "distribution-matching",
)
LIMIT = 3.0
"""Seconds given to methods that take steps until a limit."""
SHARE = 0.4
"""Seconds of the samples of one method, which are about its share where recommend judges all."""
SOURCES: tuple[tuple[str, dict[str, Any], Any], ...] = (
    ("adult/adult.csv", {"target": "income"}, 0.02),
    ("tables/letter.csv", {"target": "lettr"}, 10),
    ("tables/california-housing.csv", {"target": "median_house_value"}, 0.05),
    ("digits", {}, 10),
    ("mnist", {}, 10),
)


def main() -> None:
    warnings.simplefilter("ignore")
    root = Path(os.environ["DISTILLKIT_DATA"])
    print("| data | rows | method | estimated s | measured s | ratio |\n|---|---|---|---|---|---|")
    ratios = []
    for source, options, budget in SOURCES:
        X, y = load_rows(source, root=root, **options)
        data = Data(X, y, Budget(budget))
        probe = Probe(data, "cpu")
        for name in METHODS:
            spec = get_manager().resolve("method", name).spec
            if data.task not in spec.tasks:
                continue
            limit = LIMIT if is_time_bound(spec) else None
            estimated = probe.estimate(name, limit, SHARE).seconds
            common = {"budget": budget, "random_state": 1, "device": "cpu", "max_seconds": limit}
            method = make_method(name, common=common)
            _, *seconds = timed_cpu(lambda method=method, X=X, y=y: method.fit(X, y))
            measured = seconds[0] if limit else min(seconds)  # A limit counts wall-clock seconds.
            ratio = estimated / measured
            ratios.append(ratio)
            line = f"| {Path(source).stem} | {len(X)} | {name} | {estimated:.3g} | {measured:.3g} | {ratio:.2f} |"
            print(line, flush=True)
    within = np.mean([1 / 3 <= ratio <= 3 for ratio in ratios])
    print(
        f"\n{round(within * len(ratios))} of {len(ratios)} estimates are within a factor of 3 of the measured seconds."
    )


if __name__ == "__main__":
    main()
