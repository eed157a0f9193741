r"""Compare hard labels with those of a teacher on random MNIST images.

A quick ConvNet (the evaluator "convnet" with protocol "quick") is trained on the same rows with
hard and with soft labels, by cross-entropy on the stored labels. The teacher is trained once, on
all rows, and is the same for all temperatures and seeds.

    DISTILLKIT_DATA=... python benchmarks/perf/soft_labels_mnist.py \
        --budget 10 --temperatures 1 4 --seeds 3
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from sklearn.frozen import FrozenEstimator

from distillkit.coresets import RandomSubset
from distillkit.datasets import load_dataset
from distillkit.evaluators import make_convnet
from distillkit.knowledge import SoftLabels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=int, default=10, help="rows per class")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[1.0, 4.0])
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    data = load_dataset("mnist").as_float()
    started = time.perf_counter()
    first = SoftLabels(RandomSubset(args.budget), random_state=0).fit(data.X_train, data.y_train)
    print(f"teacher and subset: {time.perf_counter() - started:.0f} s", flush=True)
    print(f"teacher: {first.teacher_.score(data.X_test, data.y_test):.4f} on the test rows", flush=True)
    teacher = FrozenEstimator(first.teacher_)
    scores: dict[str, list[float]] = {}
    for seed in range(args.seeds):
        for label in ("hard", *args.temperatures):
            temperature = 1.0 if label == "hard" else float(label)
            distiller = SoftLabels(RandomSubset(args.budget), teacher, temperature=temperature, random_state=seed)
            X, y = distiller.fit_resample(data.X_train, data.y_train)
            soft = None if label == "hard" else distiller.soft_labels_
            network = make_convnet("classification", 1000 + seed).fit(X, y, soft_labels=soft)
            scores.setdefault(str(label), []).append(network.score(data.X_test, data.y_test))
            print(f"  seed {seed} {label}: {scores[str(label)][-1]:.4f}", flush=True)
    for label, values in scores.items():
        print(f"{label:>5}: {np.mean(values):.4f} (standard deviation {np.std(values):.4f})")


if __name__ == "__main__":
    main()
