"""Compare how well batches of real rows approximate the gradient of their class.

Batches are drawn at random, in proportion to clusters, or as the rows nearest to cluster centers.
The error is the layer-wise cosine distance (`distillkit.distances.gradient_distance`) between the
mean gradient of a batch and that of all rows of the class in MNIST. The script prints its mean over
draws, classes and networks, relative to random batches of the same size; random batches of twice
the size are included for comparison. Networks are untrained, or trained on ten rows per class.

    DISTILLKIT_DATA=... python benchmarks/perf/real_draws.py --rows 32
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from _mnist import mnist

from distillkit.base import TrainingRows
from distillkit.base._training_rows import group_rows
from distillkit.budget import Budget
from distillkit.condensation.gradient._gradients import batch_gradients, matched_weights
from distillkit.condensation.problem._group_rows import GroupRows
from distillkit.condensation.problem._problem import Batch, CondensationProblem
from distillkit.coresets import KMeansCoreset
from distillkit.distances import gradient_distance
from distillkit.nn import Recipe, class_loss, make_network, train_network


def network(seed: int, batch: Batch | None) -> torch.nn.Module:
    """Return an untrained network, or one that is trained on a batch."""
    model = make_network("convnet", (1, 28, 28), 10, seed=seed, width=32, pad=False)
    if batch is not None:
        recipe = Recipe(epochs=200, batch_size=len(batch[0]), schedule="constant")
        train_network(model, batch[0], class_loss(batch[1]), recipe, generator=torch.Generator().manual_seed(seed))
    return model


def nearest(problem: CondensationProblem, size: int) -> list[Batch]:
    """Return for each class the rows that are nearest to the centers of its clusters."""
    rows = problem.rows
    picks = KMeansCoreset(size, representative="member", random_state=0).fit(rows.X, rows.y).sample_indices_
    batches = []
    for number, group in enumerate(rows.groups):
        selected = np.intersect1d(picks, group.rows)
        batches.append((problem.scaled(rows.X[selected]), problem.targets(number, None, len(selected))))
    return batches


class GradientErrors:
    """Computes distances between gradients of batches and those of all rows, in one network.

    Parameters
    ----------
    problem : CondensationProblem
    model : Module
    class_batches : list of Batch
        All rows of each class.
    """

    def __init__(self, problem: CondensationProblem, model: torch.nn.Module, class_batches: list[Batch]) -> None:
        self.problem, self.model, self.weights = problem, model, matched_weights(model, "layer-cosine")
        self.whole = self._gradients(class_batches)

    def _gradients(self, batches: list[Batch]) -> list[list[torch.Tensor]]:
        return [batch_gradients(self.model, self.weights, batch, self.problem.loss) for batch in batches]

    def mean(self, batches: list[Batch]) -> float:
        """Return the mean distance over the classes, for one batch of each class."""
        gradients = self._gradients(batches)
        return float(np.mean([float(gradient_distance(a, b)) for a, b in zip(gradients, self.whole, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=32, help="rows of a batch")
    parser.add_argument("--draws", type=int, default=8, help="batches to draw in each network")
    parser.add_argument("--networks", type=int, default=2, help="untrained and trained networks")
    parser.add_argument("--of-each", type=int, default=2000, help="rows of each class to use as all rows")
    args = parser.parse_args()
    X, y = mnist()
    keep = np.concatenate([np.flatnonzero(y == label)[: args.of_each] for label in np.unique(y)])
    X, y = X[keep].reshape(-1, 1, 28, 28), y[keep]
    rows = TrainingRows(X, y, "classification", group_rows(y, len(X), "classification", Budget(1)))
    problem = CondensationProblem.of(rows, torch.device("cpu"))
    rng = np.random.default_rng(0)
    random, clusters = GroupRows(problem), GroupRows(problem, how="clusters", size=args.rows)
    class_batches, near_centers = random.draw(len(X), rng), nearest(problem, args.rows)
    training_batch = tuple(torch.cat(part) for part in zip(*random.draw(10, rng), strict=True))
    for kind, batch in {"untrained": None, "trained": training_batch}.items():
        results: dict[str, list[float]] = {}
        for seed in range(args.networks):
            errors = GradientErrors(problem, network(seed, batch), class_batches)
            for _ in range(args.draws):
                results.setdefault("random", []).append(errors.mean(random.draw(args.rows, rng)))
                results.setdefault("clusters", []).append(errors.mean(clusters.draw(args.rows, rng)))
                twice = random.draw(2 * args.rows, rng)
                results.setdefault("random, twice the rows", []).append(errors.mean(twice))
            results.setdefault("nearest to centers", []).append(errors.mean(near_centers))
        base = float(np.mean(results["random"]))
        for name, values in results.items():
            standard_error = np.std(values, ddof=1) / np.sqrt(len(values)) / base
            print(f"{kind} networks, {name}: {np.mean(values) / base:.2f} +- {standard_error:.2f} of the random error")


if __name__ == "__main__":
    main()
