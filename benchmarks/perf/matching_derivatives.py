"""How close matched rows come to the gradients of real ones by exact derivatives, and by differences in the weights, in as many steps.

A few rows of one MNIST class step against the derivative of the distance between their gradient and that of many real rows, in one network:
fresh, or trained on real rows for a while. Steps are of the same length for both (the derivative's root mean square is taken out, rates
fall to zero). Printed are, for each distance, means over classes of the distance reached, as a share of that of the start, of how far
rows have moved, in their standard deviation, and the seconds of a step by differences as a share of those of an exact one.

    DISTILLKIT_DATA=... python benchmarks/perf/matching_derivatives.py [--rows 10] [--width 32] [--steps 60] [--classes 3]
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
    made = make_network("convnet", (1, 28, 28), 10, seed=1, width=width)
    if batches:
        rows = slice(0, 64 * batches)
        recipe = Recipe(1, 64, "sgd", 0.1, 0.0, 0.0, "constant")
        train_network(made, X[rows], class_loss(y[rows]), recipe, generator=torch.Generator().manual_seed(0))
    return made


def descend(
    derivative: str, made: torch.nn.Module, batch: Batch, real: list[torch.Tensor], distance: str, steps: int
) -> tuple[float, float, float]:
    """Return the share of the distance that is left, how far the rows have moved, and the seconds of a step."""
    begin, targets = batch
    weights, rows, momentum = matched_weights(made, distance), begin.clone().requires_grad_(), torch.zeros_like(begin)
    distances, seconds = [], []
    for step in range(steps + 1):
        began = time.perf_counter()
        match = match_gradients(
            made, weights, [real], [(rows, targets)], loss, distance, [rows], step=DERIVATIVES[derivative]
        )
        seconds.append(time.perf_counter() - began)
        distances.append(match.loss)
        momentum = 0.5 * momentum + match.gradients[0] / match.gradients[0].square().mean().sqrt()
        rows = (rows - 0.03 * (1 - step / steps) * momentum).detach().requires_grad_()
    moved = float((rows.detach() - begin).square().mean().sqrt())
    return distances[-1] / distances[0], moved, float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--classes", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)  # in a fit, each class has one
    images, labels = mnist()
    X = torch.from_numpy((images - images.mean()) / images.std()).view(-1, 1, 28, 28)
    y = torch.from_numpy(labels.astype(np.int64))
    rng = np.random.default_rng(0)
    print(
        "network, distance: distance left exact / differences; moved exact / differences; seconds of differences / exact"
    )
    for name, batches in (("fresh", 0), ("trained", 30)):
        made = network(given.width, batches, X, y)
        for distance in ("layer-cosine", "l1"):
            found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in DERIVATIVES}
            for label in range(given.classes):
                own = rng.permutation(np.flatnonzero(labels == label))
                many, few = X[own[:_REAL]], X[own[_REAL : _REAL + given.rows]]
                weights = matched_weights(made, distance)
                real = batch_gradients(made, weights, (many, torch.full((len(many),), label)), loss)
                batch = few, torch.full((len(few),), label)
                for way in DERIVATIVES:
                    found[way].append(descend(way, made, batch, real, distance, given.steps))
            exact, other = (np.mean(found[way], axis=0) for way in DERIVATIVES)
            print(
                f"{name}, {distance}: {exact[0]:.2f} / {other[0]:.2f}; {exact[1]:.2f} / {other[1]:.2f}; {other[2] / exact[2]:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
