"""A tree for each column, from whose leaves its values are drawn given the columns before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from distillkit.synthesis.tabular._flat_tree import FlatTree
from distillkit.synthesis.tabular._leaf_values import LeafValues
from distillkit.synthesis.tabular._predictors import Predictors
from distillkit.synthesis.tabular._variables import Variables

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.synthesis.tabular._variable import Variable

__all__ = ["ColumnTree", "SequentialTrees", "learn_trees"]


@dataclass(frozen=True, eq=False)
class ColumnTree:
    """The tree of one column, and the training values in its leaves.

    Parameters
    ----------
    columns : ndarray of int
        Predictors that the tree sees: 0 is the label, and 1 + k is variable k.
    tree : FlatTree
    leaves : LeafValues
    """

    columns: np.ndarray
    tree: FlatTree
    leaves: LeafValues


@dataclass(frozen=True, eq=False)
class SequentialTrees:
    """The trees of all columns of a table, in their order.

    Parameters
    ----------
    variables : Variables
    predictors : Predictors
    trees : tuple of ColumnTree
    """

    variables: Variables
    predictors: Predictors
    trees: tuple[ColumnTree, ...]

    def draw(self, n_rows: int, y: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
        """Draw rows, one column after another.

        Parameters
        ----------
        n_rows : int
        y : ndarray of shape (n_rows,) or None
            Class numbers or targets.
        rng : Generator

        Returns
        -------
        ndarray of shape (n_rows, p)
            Values of the variables.
        """
        P = np.zeros((n_rows, 1 + len(self.trees)), dtype=np.float32)
        V = np.empty((n_rows, len(self.trees)))
        if y is not None:
            P[:, 0] = self.predictors.of_label(y)
        for position, (column, variable) in enumerate(zip(self.trees, self.variables.parts, strict=True)):
            values = column.leaves.draw(column.tree.apply(P[:, column.columns]), rng)
            V[:, position] = variable.rounded(values) if variable.is_number else values
            P[:, 1 + position] = self.predictors.of_variable(position, V[:, position])
        return V

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        arrays = {f"predictors.{name}": values for name, values in self.predictors.to_arrays().items()}
        for position, column in enumerate(self.trees):
            parts = {"columns": column.columns, **column.tree.to_arrays(), **column.leaves.to_arrays()}
            arrays |= {f"{position}.{name}": values for name, values in parts.items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], variables: Variables) -> Self:
        """Return the trees that `to_arrays` described."""
        trees = []
        for position in range(len(variables)):
            start = f"{position}."
            parts = {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}
            trees.append(ColumnTree(parts["columns"], FlatTree.from_arrays(parts), LeafValues.from_arrays(parts)))
        scores = {k.removeprefix("predictors."): v for k, v in arrays.items() if k.startswith("predictors.")}
        return cls(variables, Predictors.from_arrays(scores, len(variables)), tuple(trees))


def learn_trees(
    variables: Variables,
    V: np.ndarray,
    y: np.ndarray | None,
    run: Run,
    *,
    is_class: bool,
    weight: np.ndarray | None,
    min_leaf: int,
    max_predictors: int,
) -> SequentialTrees:
    """Fit a tree for each column on the label and on the columns before it.

    Parameters
    ----------
    variables : Variables
    V : ndarray of shape (n, p)
        Values of the training rows.
    y : ndarray of shape (n,) or None
        Class numbers or targets.
    run : Run
        Where its time is over, the columns that are left depend on the label alone.
    is_class : bool
    weight : ndarray of shape (n,) or None
    min_leaf : int
        Rows of a leaf at least.
    max_predictors : int
        Columns that a tree sees at most, beside the label.
    """
    predictors = Predictors.of(variables, V, y, is_class=is_class)
    # 1. Compute all predictors; without labels, the first column is constant.
    P = np.zeros((len(V), 1 + len(variables)), dtype=np.float32)
    if y is not None:
        P[:, 0] = predictors.of_label(y)
    for position in range(len(variables)):
        P[:, 1 + position] = predictors.of_variable(position, V[:, position])
    similarity = _similarity(P) if len(variables) > max_predictors else None
    # 2. Fit the trees; each seed is drawn whether or not there is time left.
    trees = []
    for position, variable in enumerate(variables.parts):
        seed, is_late = run.seed(), run.out_of_time()
        columns = np.arange(1) if is_late else _choose(position, similarity, max_predictors)
        tree = _fit_tree(variable, V[:, position], P[:, columns], P[:, 1 + position], weight, min_leaf, seed)
        leaves = tree.apply(P[:, columns])
        smooth = variable.is_number and not variable.discrete
        values = LeafValues.of(leaves, tree.n_nodes, V[:, position], weight, smooth=smooth)
        trees.append(ColumnTree(columns, tree, values))
        run.n_iter += 1
        run.progress.update(run.n_iter, len(variables))
    return SequentialTrees(variables, predictors, tuple(trees))


def _fit_tree(
    variable: Variable,
    values: np.ndarray,
    P: np.ndarray,
    score: np.ndarray,
    weight: np.ndarray | None,
    min_leaf: int,
    seed: int,
) -> FlatTree:
    """Fit the tree of one column, on ranks and the mark of gaps or on levels."""
    params: dict[str, Any] = {"min_samples_leaf": min_leaf, "random_state": seed}
    if variable.is_number:
        gaps = np.isnan(values)
        target = np.where(gaps, 0.5, score)
        target = np.column_stack([target, gaps]) if gaps.any() else target
        return FlatTree.of(DecisionTreeRegressor(**params).fit(P, target, sample_weight=weight))
    return FlatTree.of(DecisionTreeClassifier(**params).fit(P, values.astype(np.int64), sample_weight=weight))


def _similarity(P: np.ndarray) -> np.ndarray:
    """Return the absolute correlations of all predictors, with gaps at the middle rank."""
    filled = np.where(np.isnan(P), np.float32(0.5), P)
    centered = filled - filled.mean(axis=0)
    lengths = np.sqrt(np.square(centered).sum(axis=0))
    scaled = centered / np.where(lengths > 0, lengths, 1)
    correlations: np.ndarray = np.abs(scaled.T @ scaled)
    return correlations


def _choose(position: int, similarity: np.ndarray | None, limit: int) -> np.ndarray:
    """Return the predictors of a variable: the label and the most similar columns before it."""
    columns = np.arange(1 + position)
    if similarity is None or position <= limit:
        return columns
    order = np.argsort(-similarity[1 + position, 1 : 1 + position], kind="stable")[:limit]
    return np.concatenate([[0], np.sort(1 + order)])
