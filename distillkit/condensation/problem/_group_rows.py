"""Batches of training rows that are drawn from each group, at random or stratified by clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from distillkit.condensation.problem._start import points_to_cluster
from distillkit.neighbors import kmeans
from distillkit.utils._weighted_draw import weighted_draw

if TYPE_CHECKING:
    from distillkit.base import Group, Run
    from distillkit.condensation.problem._problem import Batch, CondensationProblem

__all__ = ["REAL_DRAWS", "GroupRows"]

REAL_DRAWS = ("random", "clusters")
"""Ways to draw rows that `GroupRows` knows."""


class GroupRows:
    """Draws batches from each group of a problem, with equal probability for each row of a group.

    Rows with weights are drawn in proportion to them, see `weighted_draw`.

    Parameters
    ----------
    problem : CondensationProblem
    how : {"random", "clusters"}, default="random"
        "random" draws without replacement. "clusters" is systematic sampling: k-means divides each
        group, the clusters are ordered along the axis in which their centers differ most, and a
        batch takes every n-th row of that order from a random start. Every cluster contributes in
        proportion to its size, so that the mean over a batch (of gradients, for example) has a
        smaller variance than with random draws.
    size : int, default=1
        Rows per group in a batch, which is also the number of clusters.
    keeps_scaled : bool, default=False
        Whether all rows are scaled once and kept in memory, for methods that draw many batches.
    run : Run or None, default=None
        Run whose clock ends k-means early; time for one update is still left.
    own : slice, default=slice(None)
        Groups whose rows are returned. Random numbers are drawn for all groups, so that the rows
        drawn of a group do not depend on which groups are returned.

    References
    ----------
    Systematic sampling from strata: Cochran, "Sampling techniques", 1977, chapter 8. Rows chosen by
    clusters for gradient matching: Liu et al., "DREAM: Efficient dataset distillation by
    representative matching", ICCV 2023. DREAM takes the rows nearest to the centers, whose mean
    differs from that of the group by the same bias in every batch.
    """

    def __init__(
        self,
        problem: CondensationProblem,
        *,
        how: str = "random",
        size: int = 1,
        keeps_scaled: bool = False,
        run: Run | None = None,
        own: slice = slice(None),
    ) -> None:
        self._problem, self._keeps_scaled = problem, keeps_scaled
        groups = problem.rows.groups
        self._own = range(len(groups))[own]
        self._ranks: list[np.ndarray | None] = [None] * len(groups)
        if how == "clusters":
            self._ranks = [
                self._ranks_of(number, size, run) if len(group.rows) > size else None
                for number, group in enumerate(groups)
            ]
            if run is not None:
                run.stopped_by = None

    def _ranks_of(self, number: int, size: int, run: Run | None) -> np.ndarray:
        group = self._problem.rows.groups[number]
        if number in self._own:
            return _cluster_ranks(self._problem, group, size, run)
        return np.zeros(len(group.rows), dtype=np.int64)  # takes as many random numbers as the ranks

    def draw(self, size: int, rng: np.random.Generator) -> list[Batch]:
        """Draw `size` rows of each group without replacement, or all rows of smaller groups."""
        picks = [self._draw(number, size, rng) for number in range(len(self._ranks))]
        return [self._batch(number, picks[number]) for number in self._own]

    def _draw(self, number: int, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the positions of rows of a group."""
        group, ranks = self._problem.rows.groups[number], self._ranks[number]
        picks, weight = group.rows, self._problem.rows.weight_in(group)
        if weight is not None:
            order = None if ranks is None else np.lexsort((rng.random(len(picks)), ranks))
            picks = picks[weighted_draw(weight, size, rng, order)]
        elif len(picks) > size:
            if ranks is None:
                picks = rng.choice(picks, size, replace=False, shuffle=False)
            else:
                # 1. Order the rows by the rank of their cluster, and randomly within a cluster.
                order = np.lexsort((rng.random(len(picks)), ranks))
                # 2. Take rows at a constant interval from a random start. A start near 1 can be
                #    rounded up beyond the last row, so that positions are limited.
                positions = (rng.random() + np.arange(size)) * (len(picks) / size)
                positions = np.minimum(positions.astype(np.intp), len(picks) - 1)
                picks = picks[order[positions]]
        return picks

    def _batch(self, number: int, picks: np.ndarray) -> Batch:
        return self._take(picks), self._problem.targets(number, self._problem.numbers(picks), len(picks))

    def _take(self, picks: np.ndarray) -> torch.Tensor:
        if self._keeps_scaled:
            return self._problem.rows_scaled[torch.from_numpy(picks)]
        return self._problem.scaled(self._problem.rows.X[picks])


def _cluster_ranks(problem: CondensationProblem, group: Group, size: int, run: Run | None) -> np.ndarray:
    """Return the rank of each row's cluster along the axis in which the centers differ most."""
    weight = problem.rows.weight_in(group)
    points, _ = points_to_cluster(problem.rows.flat[group.rows], problem.numbers(group.rows), weight)
    # A constant seed gives a resumed run the same clusters, whatever was drawn before.
    clusters = kmeans(points, size, weights=weight, seed=0, should_stop=None if run is None else run.out_of_time)
    centered = clusters.centroids - clusters.centroids.mean(axis=0)
    axis = np.linalg.svd(centered, full_matrices=False)[2][0]
    ranks: np.ndarray = np.argsort(np.argsort(centered @ axis))[clusters.labels]
    return ranks
