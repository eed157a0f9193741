"""Distil MNIST by gradient matching within a time, and judge it with fresh networks under the literature's protocol.

The judge is the ConvNet of width 128 and depth 3 with instance norm, 28x28 padded to 32x32, trained by SGD (rate 0.01, a tenth of it after
half of the epochs; momentum 0.9; weight decay 5e-4; batches of 256) for 1000 epochs with one random crop, scale or rotation per batch; the
last epoch counts. The test set is touched once per network.

    DISTILLKIT_DATA=... python benchmarks/perf/gradient_matching_mnist.py --seconds 600 --networks 3
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import torch

from distillkit.condensation import GradientMatchingDistiller
from distillkit.datasets import load_dataset
from distillkit.nn import NetworkClassifier


def pixels(X: np.ndarray) -> np.ndarray:
    return X.astype(np.float32) / (255 if X.dtype == np.uint8 else 1)


def judge(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray, epochs: int, seed: int) -> float:
    network = NetworkClassifier(
        network="convnet",
        width=128,
        depth=3,
        epochs=epochs,
        batch_size=256,
        optimizer="sgd",
        lr=0.01,
        momentum=0.9,
        weight_decay=5e-4,
        schedule="step",
        augment="auto",
        random_state=seed,
    )
    return 100 * float(network.fit(X, y).score(X_test, y_test))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--budget", type=int, default=1, help="rows per class")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=1000, help="of each judging network")
    parser.add_argument("--options", type=json.loads, default={}, help="of the distiller, as JSON")
    parser.add_argument("--save", help="where to write the distilled set")
    given = parser.parse_args()
    data = load_dataset("mnist")
    settings = {"max_iter": 10**9, "max_seconds": given.seconds, "patience": None, **given.options}
    started = time.perf_counter()
    distiller = GradientMatchingDistiller(given.budget, random_state=given.seed, **settings)
    distiller.fit(pixels(data.X_train), data.y_train)
    seconds = time.perf_counter() - started
    print(f"{settings}, {torch.get_num_threads()} threads: {distiller.n_iter_} updates in {seconds:.0f} s", flush=True)
    for record in distiller.history_[:: max(1, len(distiller.history_) // 10)]:
        print(
            "  {iteration:6d} {seconds:6.0f} s  loss {loss:8.2f}  similarity {similarity:.3f}".format(**record),
            flush=True,
        )
    if given.save:
        distiller.distilled_.save(given.save)
    scores = []
    for number in range(given.networks):
        test = pixels(data.X_test), data.y_test
        scores.append(
            judge(distiller.X_distilled_, distiller.y_distilled_, *test, epochs=given.epochs, seed=1000 + number)
        )
        print(f"  network {number}: {scores[-1]:.2f}", flush=True)
    print(f"mean of {len(scores)} networks: {np.mean(scores):.2f} (spread {np.std(scores):.2f})")


if __name__ == "__main__":
    main()
