"""A tree grown against rows made from its own leaves, until these are like training rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import config_context
from sklearn.tree import DecisionTreeClassifier

if TYPE_CHECKING:
    from distillkit.base import Run

__all__ = ["AdversarialTree"]


@dataclass
class AdversarialTree:
    """A tree over cells, in whose leaves the variables are nearly independent.

    Parameters
    ----------
    left, right, feature, threshold : list of int
        Children, variable and last cell that goes to the left of each node; -1 for leaves.
    n_rows : list of int
        Training rows of each node.
    accuracy : float
        How well the first splits tell left-out training rows from rows of independent columns.
    """

    left: list[int] = field(default_factory=lambda: [-1])
    right: list[int] = field(default_factory=lambda: [-1])
    feature: list[int] = field(default_factory=lambda: [-1])
    threshold: list[int] = field(default_factory=lambda: [0])
    n_rows: list[int] = field(default_factory=lambda: [0])
    accuracy: float = 0.5

    @property
    def n_leaves(self) -> int:
        """Number of leaves with training rows."""
        return sum(left < 0 < n_rows for left, n_rows in zip(self.left, self.n_rows, strict=True))

    def grow(
        self,
        codes: np.ndarray,
        mass: np.ndarray,
        run: Run,
        rng: np.random.Generator,
        *,
        min_leaf: int,
        tolerance: float,
        is_first: bool,
    ) -> np.ndarray:
        """Split the leaves whose training rows can be told from rows made in them.

        Rows are made in a leaf by drawing each column independently of the others from its training
        rows. If a decision tree tells them from the training rows, by rows that it has not seen,
        its splits become part of this tree, and the new leaves are tried in the same way.

        Parameters
        ----------
        codes : ndarray of shape (n, p), float32
            Cells of the training rows.
        mass : ndarray of shape (n,)
            Their weights.
        run : Run
            When its time is over, no leaf is split any more.
        rng : Generator
        min_leaf : int
            Training rows of a leaf at least.
        tolerance : float
            Accuracy above one half up to which rows count as alike.
        is_first : bool
            Whether the first splits are made in any case, also when the time is over.

        Returns
        -------
        ndarray of shape (n,), int64
            Node of the leaf of each training row.
        """
        node_of_row = np.zeros(len(codes), dtype=np.int64)
        self.n_rows[0] = len(codes)
        todo = [(0, np.arange(len(codes)))]
        with config_context(skip_parameter_validation=True, assume_finite=True):
            while todo:
                node, rows = todo.pop()
                is_root = node == 0
                if len(rows) < 2 * min_leaf or (run.out_of_time() and not (is_root and is_first)):
                    continue
                model, accuracy = _discriminator(codes[rows], mass[rows], min_leaf, rng)
                self.accuracy = accuracy if is_root else self.accuracy
                if accuracy > 0.5 + tolerance:
                    node_of_row[rows] = self._graft(node, model, codes[rows], min_leaf)
                    leaves = np.unique(node_of_row[rows])
                    todo += [(leaf, rows[node_of_row[rows] == leaf]) for leaf in leaves.tolist() if leaf != node]
        return node_of_row

    def _graft(self, node: int, model: Any, codes: np.ndarray, min_leaf: int) -> np.ndarray:
        """Add the splits of a model below a leaf, and return the node of the leaf of each row (n,).

        A split is left out, with all below it, if one of its sides has some training rows, but
        fewer than `min_leaf`.
        """
        tree = model.tree_
        left, right = tree.children_left.tolist(), tree.children_right.tolist()
        ends = model.apply(codes)
        counts = np.bincount(ends, minlength=len(left)).tolist()
        parents = [place for place, child in enumerate(left) if child >= 0]
        for place in reversed(parents):  # children come after their parents
            counts[place] = counts[left[place]] + counts[right[place]]
        stands_for, is_closed = [node] * len(left), [False] * len(left)
        for place in parents:
            sides, at = (left[place], right[place]), stands_for[place]
            if is_closed[place] or not counts[place] or any(0 < counts[side] < min_leaf for side in sides):
                for side in sides:
                    stands_for[side], is_closed[side] = at, True
                continue
            self.feature[at], self.threshold[at] = int(tree.feature[place]), int(np.floor(tree.threshold[place]))
            self.left[at], self.right[at] = (self._new_leaf(counts[side]) for side in sides)
            stands_for[sides[0]], stands_for[sides[1]] = self.left[at], self.right[at]
        leaves: np.ndarray = np.array(stands_for)[ends]
        return leaves

    def _new_leaf(self, n_rows: int) -> int:
        """Add a leaf, and return its number."""
        for values, value in ((self.left, -1), (self.right, -1), (self.feature, -1), (self.threshold, 0)):
            values.append(value)
        self.n_rows.append(n_rows)
        return len(self.left) - 1


def _discriminator(
    codes: np.ndarray, mass: np.ndarray, min_leaf: int, rng: np.random.Generator
) -> tuple[DecisionTreeClassifier, float]:
    """Fit a tree that tells rows from rows of independent columns, and return its accuracy.

    The accuracy is that on the rows that are not in its bootstrap sample.
    """
    size, shares = len(codes), mass / mass.sum()
    if (mass == mass[0]).all():
        made = np.column_stack([rng.permutation(column) for column in codes.T])
    else:
        made = np.column_stack([column[rng.choice(size, size, p=shares)] for column in codes.T])
    X, is_real = np.concatenate([codes, made]), np.repeat([1, 0], size)
    weight = np.concatenate([shares * size, np.ones(size)])
    bag = np.bincount(rng.integers(0, 2 * size, 2 * size), minlength=2 * size)
    params: dict[str, Any] = {"min_samples_leaf": min_leaf, "max_features": "sqrt"}
    model = DecisionTreeClassifier(**params, random_state=int(rng.integers(2**31 - 1)))
    model.fit(X, is_real, sample_weight=bag * weight, check_input=False)
    left_out = np.flatnonzero(bag == 0)
    if not len(left_out):
        return model, 0.5
    values = model.tree_.value[model.apply(X[left_out]), 0]
    is_right = (values[:, 1] > values[:, 0]) == is_real[left_out]
    return model, float(np.average(is_right, weights=weight[left_out]))
