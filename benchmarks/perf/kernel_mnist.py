"""Distil MNIST by kernel matching within a time, and judge it with fresh networks under the literature's protocol.

The judge is the evaluator "convnet" with protocol="standard" (see `gradient_matching_mnist.py` for the protocol in words), which learns from
the probabilities where labels were learned. The test set is touched once per network; settings are to be tried with --holdout, which judges by
as many training rows that are left out of the distillation, and leaves the test set alone.

    DISTILLKIT_DATA=... python benchmarks/perf/kernel_mnist.py --seconds 600 --per-class 1 --networks 5 --output kernel-1.json
    DISTILLKIT_DATA=... python benchmarks/perf/kernel_mnist.py --seconds 600 --per-class 10 --options '{"learn_labels": true}'
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from distillkit import __version__
from distillkit.condensation import KernelDistiller
from distillkit.datasets import load_dataset
from distillkit.evaluators import make_convnet


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--per-class", "--budget", type=int, default=1, help="rows per class")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--protocol", choices=["standard", "quick"], default="standard", help="of the judging networks")
    parser.add_argument("--width", type=int, help="of the judging networks; the protocol's own where left out")
    parser.add_argument("--holdout", type=int, default=0, help="training rows to judge by in place of the test set")
    parser.add_argument("--options", type=json.loads, default={}, help="of the distiller, as JSON")
    parser.add_argument("--output", type=Path, help="JSON file for what was measured")
    parser.add_argument("--save", help="where to write the distilled set")
    return parser.parse_args()


def distil(X: np.ndarray, y: np.ndarray, given: argparse.Namespace) -> tuple[KernelDistiller, float]:
    settings = {"max_iter": 10**9, "max_seconds": given.seconds, "patience": None, **given.options}
    started = time.perf_counter()
    distiller = KernelDistiller(given.per_class, random_state=given.seed, **settings).fit(X, y)
    seconds = time.perf_counter() - started
    print(f"{settings}, {torch.get_num_threads()} threads: {distiller.n_iter_} updates in {seconds:.0f} s", flush=True)
    for record in distiller.history_[:: max(1, len(distiller.history_) // 10)]:
        print(
            "  {iteration:6d} {seconds:6.0f} s  loss {loss:.4f}  accuracy {accuracy:.4f}".format(**record), flush=True
        )
    return distiller, seconds


def judge(distiller: KernelDistiller, X: np.ndarray, y: np.ndarray, given: argparse.Namespace) -> list[float]:
    soft = getattr(distiller, "soft_labels_", None)
    scores = []
    for number in range(given.networks):
        network = make_convnet("classification", 1000 + number, protocol=given.protocol, width=given.width)
        network.fit(distiller.X_distilled_, distiller.y_distilled_, soft_labels=soft)
        scores.append(100 * network.score(X, y))
        print(f"  network {number}: {scores[-1]:.2f}", flush=True)
    print(f"mean of {len(scores)} networks: {np.mean(scores):.2f} (spread {np.std(scores):.2f})")
    return scores


def measured(
    distiller: KernelDistiller, seconds: float, scores: list[float], given: argparse.Namespace
) -> dict[str, Any]:
    return {
        "method": "kernel",
        "dataset": "mnist",
        "per_class": given.per_class,
        "max_seconds": given.seconds,
        "seconds": round(seconds, 1),
        "updates": distiller.n_iter_,
        "stopped_by": distiller.distilled_.provenance.get("stopped_by"),
        "accuracy": round(float(np.mean(scores)), 3) if scores else None,
        "std": round(float(np.std(scores, ddof=1)), 3) if len(scores) > 1 else None,
        "scores": [round(score, 2) for score in scores],
        "judged_by": f"{given.holdout} training rows left out" if given.holdout else "test",
        "protocol": given.protocol,
        "width": given.width,
        "labels": "soft" if hasattr(distiller, "soft_labels_") else "hard",
        "options": given.options,
        "seed": given.seed,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "versions": {"distillkit": __version__, "torch": torch.__version__, "python": sys.version.split()[0]},
        "history": distiller.history_[:: max(1, len(distiller.history_) // 100)],
    }


def main() -> None:
    given = parse()
    data = load_dataset("mnist").as_float()
    apart = given.holdout
    X, y = (data.X_train[:apart], data.y_train[:apart]) if apart else (data.X_test, data.y_test)
    distiller, seconds = distil(data.X_train[apart:], data.y_train[apart:], given)
    if given.save:
        distiller.distilled_.save(given.save)
    row = measured(distiller, seconds, judge(distiller, X, y, given), given)
    if given.output:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
