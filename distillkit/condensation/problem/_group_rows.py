"""Batches of training rows, group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from distillkit.condensation.problem._start import points_to_cluster
from distillkit.neighbors import kmeans

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.problem._problem import Batch, CondensationProblem

__all__ = ["REAL_DRAWS", "GroupRows"]

REAL_DRAWS = ("random", "clusters")
"""Names that `GroupRows` knows."""


class GroupRows:
    """The rows of each group of a problem, drawn so that each row is as likely as any other of its group.

    Parameters
    ----------
    problem : Problem
    how : {"random", "clusters"}, default="random"
        "clusters" divides each group by k-means, and lays clusters in a line along the axis in which their centres differ most; a batch
        takes a row at every n-th place of it, from a random first. Every cluster gives its share, so that the mean over a batch, of gradients
        say, strays less from that over the group than with rows drawn at random.
    size : int, default=1
        Rows of a group in a batch, as they will be drawn: the number of clusters.
    keeps_scaled : bool, default=False
        Whether all rows are scaled once and kept, for methods that draw many.
    run : Run or None, default=None
        A clock that ends k-means still leaves time for one update.

    References
    ----------
    Systematic sampling from strata: Cochran, "Sampling techniques", 1977, chapter 8. Rows chosen by clusters for gradient matching: Liu et al.,
    "DREAM: Efficient dataset distillation by representative matching", ICCV 2023, which takes those nearest to the centres; by how much
    their mean misses that of the group, it does so in each batch.
    """

    def __init__(
        self,
        problem: CondensationProblem,
        *,
        how: str = "random",
        size: int = 1,
        keeps_scaled: bool = False,
        run: Run | None = None,
    ) -> None:
        self._problem, self._keeps = problem, keeps_scaled
        self._clusters: list[np.ndarray | None] = [None] * len(problem.rows.groups)
        if how == "clusters":
            groups = problem.rows.groups
            self._clusters = [
                _places(problem, group.rows, size, run) if len(group.rows) > size else None for group in groups
            ]
            if run is not None:
                run.stopped_by = None

    def draw(self, size: int, rng: np.random.Generator) -> list[Batch]:
        """Draw `size` rows of each group without replacement, or all where there are fewer."""
        return [self._draw(number, size, rng) for number in range(len(self._clusters))]

    def _draw(self, number: int, size: int, rng: np.random.Generator) -> Batch:
        picks = self._problem.rows.groups[number].rows
        if len(picks) > size:
            places = self._clusters[number]
            if places is None:
                picks = rng.choice(picks, size, replace=False, shuffle=False)
            else:
                # rows of a cluster in an order of their own each time
                line = np.lexsort((rng.random(len(picks)), places))
                steps = (rng.random() + np.arange(size)) * (len(picks) / size)
                steps = np.minimum(steps.astype(np.intp), len(picks) - 1)  # a first of nearly 1 is rounded up
                picks = picks[line[steps]]
        return self._take(picks), self._problem.targets(number, self._problem.numbers(picks), len(picks))

    def _take(self, picks: np.ndarray) -> torch.Tensor:
        if self._keeps:
            return self._problem.rows_scaled[torch.from_numpy(picks)]
        return self._problem.scaled(self._problem.rows.X[picks])


def _places(problem: CondensationProblem, group: np.ndarray, size: int, run: Run | None) -> np.ndarray:
    """Return the place in the line of the cluster of each row of a group."""
    points, _ = points_to_cluster(problem.rows.flat[group], problem.numbers(group))
    # the same clusters in a run that is resumed, whatever was drawn before
    found = kmeans(points, size, seed=0, should_stop=None if run is None else run.out_of_time)
    centred = found.centroids - found.centroids.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    places: np.ndarray = np.argsort(np.argsort(centred @ axis))[found.labels]
    return places
