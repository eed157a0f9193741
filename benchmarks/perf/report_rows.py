"""Time and memory of a report on many stored rows, which are simulated.

Usage: ``python benchmarks/perf/report_rows.py [ROWS] [FOLDER]``. The folder gets 20 datasets, five
evaluators, 25 methods, four budgets and as many splits as give the number of rows (100,000 without
an argument), with rows of the size that a run writes, predictions for 450 test rows included. The
report is then made by the command line in a process of its own, whose wall-clock seconds and peak
memory are printed. Reports have to stay within 20 s and 1 GiB for 100,000 rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np

from distillkit.bench.planning._cell_keys import cell_keys
from distillkit.bench.planning._keys import PROTOCOL
from distillkit.bench.results._environment import collect_environment, environment_key
from distillkit.bench.results._outcomes import encode
from distillkit.bench.results._schema import SCHEMA
from distillkit.bench.results._store import ResultsStore

DATASETS, EVALUATORS, METHODS, BUDGETS = 20, 5, 25, ("1", "10", "50", "0.05")
N_TRAIN, N_TEST, N_CLASSES = 1350, 450, 10
METRICS = (
    "accuracy", "balanced-accuracy", "macro-f1", "rows", "bytes", "compression-rows", "compression-bytes",
    "seconds-distil", "seconds-train", "mmd", "wasserstein", "coverage",
)  # fmt: skip
FLOORS = ("mmd", "wasserstein", "coverage")
BUILT_IN = ("random", "whole", "class-means", "kmeans")


def identity(dataset: int, evaluator: int, method: int, budget: str, split: int) -> dict:
    name = BUILT_IN[method] if method < len(BUILT_IN) else f"method-{method:02}"
    fields = {
        "suite": "simulated", "dataset": f"data-{dataset:02}", "dataset_name": f"data-{dataset:02}",
        "dataset_params": {}, "dataset_revision": "1", "task": "classification", "modality": "table",
        "method": name, "method_name": name, "method_version": 1, "method_params": {}, "kind": "coreset",
        "role": "control" if name == "random" else "reference" if method in {1, 2} else "method",
        "plugin": "distillkit", "plugin_version": "0.1", "budget": "-" if method in {1, 2} else budget,
        "budget_value": None if method in {1, 2} else float(budget), "distil_seed": split,
        "evaluator": f"judge-{evaluator}", "evaluator_name": f"judge-{evaluator}", "evaluator_version": 1,
        "evaluator_params": {}, "eval_seed": 0, "label_mode": "hard", "metrics": [f"{name}@1" for name in METRICS],
        "skip": None, "failure": None, "task_note": "", "split": split, "deterministic": False, "tuned_on": [],
        "primary": None, "protocol": PROTOCOL, "threads": 1, "evaluator_plugin": "distillkit",
    }  # fmt: skip
    keys = cell_keys(fields)
    return fields | {"data_key": keys.data_key, "distil_key": keys.distil_key, "key": keys.key}


def row_of(cell: dict, targets: np.ndarray, rng: np.random.Generator, environment: str) -> dict:
    right = rng.random(N_TEST) < 0.5 + 0.4 * rng.random()
    predictions = np.where(right, targets, rng.integers(0, N_CLASSES, N_TEST))
    share = float(np.mean(predictions == targets))
    floor = {"picked": [0.4, 0.01], "fresh": [0.5, 0.01], "z": float(rng.normal()), "draws": 10}
    panel = {"verdict": "pass", "reasons": [], "rows": 10, "members": 10, "copies": 0, "near_copies": 0, "version": 1}
    times = {f"seconds_{name}": float(rng.random()) for name in ("distil", "distil_job", "train", "predict")}
    return cell | times | {
        "schema": SCHEMA, "status": "ok", "phase": None, "error": None, "stopped_by": "converged",
        "primary": "accuracy",
        "metrics": {name: share if "acc" in name else float(rng.random()) for name in METRICS},
        "metric_versions": cell["metrics"],
        "floors": {name: floor | {"error": None, "interval": None, "note": "", "features": ""} for name in FLOORS},
        "rows": 10, "bytes": 5200, "rows_seen": N_TRAIN, "bytes_seen": N_TRAIN * 520, "cpu_train": 0.01,
        "n_timed_train": 5, "steps_train": None, "n_train": N_TRAIN, "n_test": N_TEST, "shared_rows": 0,
        "outcome": encode(predictions, N_CLASSES), "privacy": panel, "exposes_originals": True,
        "starts_from_real": True, "seconds": 0.5, "peak_mb": 300.0, "peak_mb_distil": 300.0,
        "peak_mb_evaluate": 280.0, "n_concurrent": 1, "limit_seconds": 600.0, "limit_mb": 8000.0,
        "environment": environment, "set_digest": cell["distil_key"] * 4,
        "artefact": f"artefacts/{cell['distil_key']}.safetensors", "started": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip


def simulate(folder: Path, n_rows: int) -> int:
    """Write a results folder and return its number of rows."""
    rng = np.random.default_rng(0)
    environment = collect_environment()
    fixed = 2 * (len(BUDGETS) - 1)  # The whole set and the class means have one budget.
    splits = max(1, round(n_rows / (DATASETS * EVALUATORS * (METHODS * len(BUDGETS) - fixed))))
    cells = []
    with ResultsStore(folder) as store:
        store.write_environment(environment_key(environment), environment)
        for dataset, split in product(range(DATASETS), range(splits)):
            targets = rng.integers(0, N_CLASSES, N_TEST)
            facts = {"dataset": f"data-{dataset:02}", "task": "classification", "classes": list(map(str, range(10)))}
            facts |= {"n_train": N_TRAIN, "n_test": N_TEST, "class_counts": [135] * N_CLASSES, "shared_rows": 0}
            facts |= encode(targets, N_CLASSES)
            for evaluator, method, budget in product(range(EVALUATORS), range(METHODS), BUDGETS):
                if method in {1, 2} and budget != BUDGETS[0]:
                    continue
                cell = identity(dataset, evaluator, method, budget, split)
                cells.append(cell)
                row = row_of(cell, targets, rng, environment_key(environment))
                text = json.dumps(row, indent=1, sort_keys=True)
                store.cell_path(cell["key"]).write_text(f"{text}\n", encoding="utf-8")
            path = store.targets_path(cells[-1]["data_key"])
            path.write_text(json.dumps(facts), encoding="utf-8")
        cells.sort(key=lambda cell: (cell["dataset"], cell["method"], cell["budget"], cell["split"]))
        primary = {"classification": "accuracy", "regression": "r2"}
        store.write_plan({"suite": "simulated", "description": "", "primary": primary, "cells": cells})
    return len(cells)


def measure(command: list[str]) -> tuple[int, float, float]:
    """Run a command; return its status, its seconds and its peak memory in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(command)  # noqa: S603 (the command line of this project)
    _, status, usage = os.wait4(process.pid, 0)
    peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return status, time.perf_counter() - started, peak


def main(n_rows: int = 100_000, folder: Path | None = None) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "simulated" if folder is None else folder
        if not (folder / "plan.json").is_file():
            started = time.perf_counter()
            print(f"{simulate(folder, n_rows):,} rows written in {time.perf_counter() - started:.0f} s")
        for what in ([], ["--format", "terminal"], ["--format", "html"]):
            command = [sys.executable, "-m", "distillkit", "report", str(folder), *what]
            status, seconds, peak = measure(command)
            print(f"report {' '.join(what) or 'in every format'}: {seconds:.1f} s, {peak:.0f} MiB, status {status}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(int(arguments[0]) if arguments else 100_000, Path(arguments[1]) if len(arguments) > 1 else None)
