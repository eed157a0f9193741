r"""Distil MNIST by kernel matching within a time limit, and evaluate it with fresh networks.

The evaluator is "convnet" with protocol="standard", the protocol of the literature, which
`condensation_mnist.py` describes. If labels were learned, it is trained on the probabilities. Each
network uses the test set once. To try settings, use --holdout, which evaluates on training rows
that are left out of the distillation and does not use the test set.

    DISTILLKIT_DATA=... python benchmarks/perf/kernel_mnist.py --seconds 600 --per-class 1 \
        --networks 5 --output kernel-1.json
    DISTILLKIT_DATA=... python benchmarks/perf/kernel_mnist.py --seconds 600 --per-class 10 \
        --options '{"learn_labels": true}'
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
    parser.add_argument("--networks", type=int, default=3, help="networks that evaluate the set")
    parser.add_argument("--protocol", choices=["standard", "quick"], default="standard", help="training protocol")
    parser.add_argument("--width", type=int, help="width of the networks [default: that of the protocol]")
    parser.add_argument("--holdout", type=int, default=0, help="training rows to evaluate on instead of the test set")
    parser.add_argument("--options", type=json.loads, default={}, help="parameters of the distiller as JSON")
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    parser.add_argument("--save", help="file for the distilled set")
    return parser.parse_args()


def distil(X: np.ndarray, y: np.ndarray, args: argparse.Namespace) -> tuple[KernelDistiller, float]:
    """Distil the rows, print some of the history, and return the distiller and its seconds."""
    settings = {"max_iter": 10**9, "max_seconds": args.seconds, "patience": None, **args.options}
    started = time.perf_counter()
    distiller = KernelDistiller(args.per_class, random_state=args.seed, **settings).fit(X, y)
    seconds = time.perf_counter() - started
    print(f"{settings}, {torch.get_num_threads()} threads: {distiller.n_iter_} updates in {seconds:.0f} s", flush=True)
    for record in distiller.history_[:: max(1, len(distiller.history_) // 10)]:
        print(
            "  {iteration:6d} {seconds:6.0f} s  loss {loss:.4f}  accuracy {accuracy:.4f}".format(**record), flush=True
        )
    return distiller, seconds


def evaluate_networks(
    distiller: KernelDistiller, X: np.ndarray, y: np.ndarray, args: argparse.Namespace
) -> list[float]:
    """Return the accuracies, in percent, of fresh networks trained on the distilled set."""
    soft = getattr(distiller, "soft_labels_", None)
    scores = []
    for number in range(args.networks):
        network = make_convnet("classification", 1000 + number, protocol=args.protocol, width=args.width)
        network.fit(distiller.X_distilled_, distiller.y_distilled_, soft_labels=soft)
        scores.append(100 * network.score(X, y))
        print(f"  network {number}: {scores[-1]:.2f}", flush=True)
    print(f"mean of {len(scores)} networks: {np.mean(scores):.2f} (standard deviation {np.std(scores):.2f})")
    return scores


def make_row(
    distiller: KernelDistiller, seconds: float, scores: list[float], args: argparse.Namespace
) -> dict[str, Any]:
    """Return the results as a dict that can be written as JSON."""
    return {
        "method": "kernel",
        "dataset": "mnist",
        "per_class": args.per_class,
        "max_seconds": args.seconds,
        "seconds": round(seconds, 1),
        "updates": distiller.n_iter_,
        "stopped_by": distiller.distilled_.provenance.get("stopped_by"),
        "accuracy": round(float(np.mean(scores)), 3) if scores else None,
        "std": round(float(np.std(scores, ddof=1)), 3) if len(scores) > 1 else None,
        "scores": [round(score, 2) for score in scores],
        "judged_by": f"{args.holdout} training rows left out" if args.holdout else "test",
        "protocol": args.protocol,
        "width": args.width,
        "labels": "soft" if hasattr(distiller, "soft_labels_") else "hard",
        "options": args.options,
        "seed": args.seed,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "versions": {"distillkit": __version__, "torch": torch.__version__, "python": sys.version.split()[0]},
        "history": distiller.history_[:: max(1, len(distiller.history_) // 100)],
    }


def main() -> None:
    args = parse()
    data = load_dataset("mnist").as_float()
    n_holdout = args.holdout
    X, y = (data.X_train[:n_holdout], data.y_train[:n_holdout]) if n_holdout else (data.X_test, data.y_test)
    distiller, seconds = distil(data.X_train[n_holdout:], data.y_train[n_holdout:], args)
    if args.save:
        distiller.distilled_.save(args.save)
    row = make_row(distiller, seconds, evaluate_networks(distiller, X, y, args), args)
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        args.output.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
