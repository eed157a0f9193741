"""Distil MNIST by kernel matching within a time, and judge it with fresh networks under the literature's protocol.

The judge is the evaluator "convnet:standard" (see `gradient_matching_mnist.py` for the protocol in words), which learns from the
probabilities where labels were learned. The test set is touched once per network.

    DISTILLKIT_DATA=... python benchmarks/perf/kernel_mnist.py --seconds 600 --budget 1 --networks 5
    DISTILLKIT_DATA=... python benchmarks/perf/kernel_mnist.py --seconds 600 --budget 10 --options '{"learn_labels": true}'
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import torch

from distillkit.condensation import KernelDistiller
from distillkit.datasets import load_dataset
from distillkit.evaluators import make_convnet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--budget", type=int, default=1, help="rows per class")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--protocol", choices=["standard", "quick"], default="standard", help="of the judging networks")
    parser.add_argument("--options", type=json.loads, default={}, help="of the distiller, as JSON")
    parser.add_argument("--save", help="where to write the distilled set")
    given = parser.parse_args()
    data = load_dataset("mnist").as_float()
    settings = {"max_iter": 10**9, "max_seconds": given.seconds, "patience": None, **given.options}
    started = time.perf_counter()
    distiller = KernelDistiller(given.budget, random_state=given.seed, **settings).fit(data.X_train, data.y_train)
    seconds = time.perf_counter() - started
    print(f"{settings}, {torch.get_num_threads()} threads: {distiller.n_iter_} updates in {seconds:.0f} s", flush=True)
    for record in distiller.history_[:: max(1, len(distiller.history_) // 10)]:
        print(
            "  {iteration:6d} {seconds:6.0f} s  loss {loss:.4f}  accuracy {accuracy:.4f}".format(**record), flush=True
        )
    if given.save:
        distiller.distilled_.save(given.save)
    scores = []
    for number in range(given.networks):
        network = make_convnet("classification", 1000 + number, protocol=given.protocol)
        soft = getattr(distiller, "soft_labels_", None)
        network.fit(distiller.X_distilled_, distiller.y_distilled_, soft_labels=soft)
        scores.append(100 * network.score(data.X_test, data.y_test))
        print(f"  network {number}: {scores[-1]:.2f}", flush=True)
    print(f"mean of {len(scores)} networks: {np.mean(scores):.2f} (spread {np.std(scores):.2f})")


if __name__ == "__main__":
    main()
