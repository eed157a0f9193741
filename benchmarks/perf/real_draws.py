"""How far the gradient of a batch of real rows is from that of its class: random rows, shares of clusters, rows nearest to centres.

For each class of MNIST, the layer-wise cosine distance (`distillkit.distances.gradient_distance`) between the mean gradient of a batch and that
of all rows of the class; its mean over draws, classes and networks, as ratios to random rows of the same number. A batch of twice the
rows is there for comparison. Networks are fresh, or trained for 200 steps on ten rows a class.

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


def network(seed: int, few: Batch | None) -> torch.nn.Module:
    made = make_network("convnet", (1, 28, 28), 10, seed=seed, width=32, pad=False)
    if few is not None:
        recipe = Recipe(epochs=200, batch_size=len(few[0]), schedule="constant")
        train_network(made, few[0], class_loss(few[1]), recipe, generator=torch.Generator().manual_seed(seed))
    return made


def nearest(problem: CondensationProblem, size: int) -> list[Batch]:
    """Rows nearest to the centres of clusters."""
    rows = problem.rows
    picks = KMeansCoreset(size, representative="member", random_state=0).fit(rows.X, rows.y).sample_indices_
    batches = []
    for number, group in enumerate(rows.groups):
        own = np.intersect1d(picks, group.rows)
        batches.append((problem.scaled(rows.X[own]), problem.targets(number, None, len(own))))
    return batches


class Errors:
    """Distances between gradients of batches and those of all rows, in one network.

    Parameters
    ----------
    problem : Problem
    made : Module
    every : list of Batch
        All rows of each class.
    """

    def __init__(self, problem: CondensationProblem, made: torch.nn.Module, every: list[Batch]) -> None:
        self.problem, self.made, self.weights = problem, made, matched_weights(made, "layer-cosine")
        self.whole = self._gradients(every)

    def _gradients(self, batches: list[Batch]) -> list[list[torch.Tensor]]:
        return [batch_gradients(self.made, self.weights, batch, self.problem.loss) for batch in batches]

    def of(self, batches: list[Batch]) -> float:
        """Return the mean over the classes."""
        found = self._gradients(batches)
        return float(np.mean([float(gradient_distance(a, b)) for a, b in zip(found, self.whole, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=32, help="of a class in a batch")
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--networks", type=int, default=2, help="of each kind")
    parser.add_argument("--of-each", type=int, default=2000, help="rows of each class that stand for all")
    given = parser.parse_args()
    X, y = mnist()
    keep = np.concatenate([np.flatnonzero(y == label)[: given.of_each] for label in np.unique(y)])
    X, y = X[keep].reshape(-1, 1, 28, 28), y[keep]
    rows = TrainingRows(X, y, "classification", group_rows(y, len(X), "classification", Budget(1)))
    problem = CondensationProblem.of(rows, torch.device("cpu"))
    rng = np.random.default_rng(0)
    random, clusters = GroupRows(problem), GroupRows(problem, how="clusters", size=given.rows)
    every, close = random.draw(len(X), rng), nearest(problem, given.rows)
    few = tuple(torch.cat(part) for part in zip(*random.draw(10, rng), strict=True))
    for kind, seen in {"fresh": None, "trained": few}.items():
        found: dict[str, list[float]] = {}
        for seed in range(given.networks):
            errors = Errors(problem, network(seed, seen), every)
            for _ in range(given.draws):
                found.setdefault("random", []).append(errors.of(random.draw(given.rows, rng)))
                found.setdefault("clusters", []).append(errors.of(clusters.draw(given.rows, rng)))
                found.setdefault("random, twice the rows", []).append(errors.of(random.draw(2 * given.rows, rng)))
            found.setdefault("nearest to centres", []).append(errors.of(close))
        base = float(np.mean(found["random"]))
        for name, values in found.items():
            spread = np.std(values, ddof=1) / np.sqrt(len(values)) / base
            print(f"{kind} networks, {name}: {np.mean(values) / base:.2f} +- {spread:.2f} of random's error")


if __name__ == "__main__":
    main()
