r"""Compare exact derivatives and finite differences in the weights for gradient matching.

A few rows of one MNIST class descend the distance between their gradient and that of many real
rows, in one network, which is either untrained or trained on real rows for some steps. The steps
have the same length for both kinds of derivative: they are normalized by their root mean square,
and the rate decays to zero. For each distance, the script prints means over classes of the
remaining distance relative to the start, of how far the rows have moved (in standard deviations of
the data), and of the seconds of a step by differences relative to an exact one.

    DISTILLKIT_DATA=... python benchmarks/perf/matching_derivatives.py \
        [--rows 10] [--width 32] [--steps 60] [--classes 3]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from _mnist import mnist

from distillkit.condensation.gradient._gradients import batch_gradients, match_gradients, matched_weights
from distillkit.condensation.gradient._loop import DERIVATIVES
from distillkit.condensation.problem._problem import Batch
from distillkit.nn import Recipe, class_loss, make_network, train_network

_REAL = 512


def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(outputs, targets)


def network(width: int, batches: int, X: torch.Tensor, y: torch.Tensor) -> torch.nn.Module:
    """Return a network that is trained on some batches of real rows."""
    model = make_network("convnet", (1, 28, 28), 10, seed=1, width=width)
    if batches:
        rows = slice(0, 64 * batches)
        recipe = Recipe(1, 64, "sgd", 0.1, 0.0, 0.0, "constant")
        train_network(model, X[rows], class_loss(y[rows]), recipe, generator=torch.Generator().manual_seed(0))
    return model


def descend(
    derivative: str, model: torch.nn.Module, batch: Batch, real: list[torch.Tensor], distance: str, steps: int
) -> tuple[float, float, float]:
    """Return the remaining fraction of the distance, the movement of the rows, and step seconds."""
    start, targets = batch
    weights, rows, momentum = matched_weights(model, distance), start.clone().requires_grad_(), torch.zeros_like(start)
    distances, seconds = [], []
    for step in range(steps + 1):
        started = time.perf_counter()
        match = match_gradients(
            model, weights, [real], [(rows, targets)], loss, distance, [rows], step=DERIVATIVES[derivative]
        )
        seconds.append(time.perf_counter() - started)
        distances.append(match.loss)
        momentum = 0.5 * momentum + match.gradients[0] / match.gradients[0].square().mean().sqrt()
        rows = (rows - 0.03 * (1 - step / steps) * momentum).detach().requires_grad_()
    movement = float((rows.detach() - start).square().mean().sqrt())
    return distances[-1] / distances[0], movement, float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--classes", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)  # In a fit, each class uses one thread.
    images, labels = mnist()
    X = torch.from_numpy((images - images.mean()) / images.std()).view(-1, 1, 28, 28)
    y = torch.from_numpy(labels.astype(np.int64))
    rng = np.random.default_rng(0)
    print(
        "network, distance: remaining distance exact / differences; movement exact / differences; "
        "seconds of differences / exact"
    )
    for name, batches in (("untrained", 0), ("trained", 30)):
        model = network(args.width, batches, X, y)
        for distance in ("layer-cosine", "l1"):
            results: dict[str, list[tuple[float, float, float]]] = {derivative: [] for derivative in DERIVATIVES}
            for label in range(args.classes):
                class_rows = rng.permutation(np.flatnonzero(labels == label))
                many, few = X[class_rows[:_REAL]], X[class_rows[_REAL : _REAL + args.rows]]
                weights = matched_weights(model, distance)
                real = batch_gradients(model, weights, (many, torch.full((len(many),), label)), loss)
                batch = few, torch.full((len(few),), label)
                for derivative in DERIVATIVES:
                    results[derivative].append(descend(derivative, model, batch, real, distance, args.steps))
            exact, other = (np.mean(results[derivative], axis=0) for derivative in DERIVATIVES)
            print(
                f"{name}, {distance}: {exact[0]:.2f} / {other[0]:.2f}; {exact[1]:.2f} / {other[1]:.2f}; "
                f"{other[2] / exact[2]:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
