"""Growing the trees of a forest, and counting the training rows in their leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.synthesis.forest._adversarial_tree import AdversarialTree
from distillkit.synthesis.forest._leaf_mixture import LeafMixture
from distillkit.synthesis.forest._splits import Splits

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["Growth", "grow"]


@dataclass(frozen=True)
class Growth:
    """Settings of a forest.

    Parameters
    ----------
    n_trees : int
    min_leaf : int
        Training rows of a leaf at least.
    tolerance : float
        Accuracy above one half up to which training and made rows count as alike.
    smoothing : float
        Rows of the whole table that each leaf is mixed with.
    """

    n_trees: int
    min_leaf: int
    tolerance: float
    smoothing: float


def grow(codes: np.ndarray, weight: np.ndarray | None, sizes: list[int], growth: Growth, run: Run) -> LeafMixture:
    """Grow trees one after another, each against rows made from its own leaves.

    Parameters
    ----------
    codes : ndarray of shape (n, p), int
        Cells of the training rows.
    weight : ndarray of shape (n,) or None
    sizes : list of int
        Number of cells of each variable.
    growth : Growth
    run : Run
        Takes the history. When its time is over, no further split is made, except for the first
        ones of the first tree.
    """
    mass = np.ones(len(codes)) if weight is None else weight * (len(codes) / weight.sum())
    cells = codes.astype(np.float32)
    trees: list[AdversarialTree] = []
    nodes: list[np.ndarray] = []
    for number in range(growth.n_trees):
        rng = np.random.default_rng(run.seed())
        if trees and run.out_of_time():
            break
        tree = AdversarialTree()
        trees.append(tree)
        limits: dict[str, Any] = {"min_leaf": growth.min_leaf, "tolerance": growth.tolerance}
        nodes.append(tree.grow(cells, mass, run, rng, is_first=number == 0, **limits))
        run.n_iter = number + 1
        run.record(iter=run.n_iter, accuracy=tree.accuracy, leaves=tree.n_leaves)
        run.progress.update(run.n_iter, growth.n_trees)
    splits, leaves = Splits.of(trees, nodes)
    return LeafMixture.of(splits, leaves, codes, mass, sizes, growth.smoothing)
