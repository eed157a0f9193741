"""The splits of all trees of a forest, as plain arrays, and the leaves that rows can reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from distillkit.synthesis.forest._adversarial_tree import AdversarialTree

__all__ = ["Splits"]

_FIELDS = ("left", "right", "feature", "threshold", "leaf", "roots")


@dataclass(frozen=True, eq=False)
class Splits:
    """The nodes of several trees, one after another.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,), int32
        Children of each node; -1 where there are none.
    feature : ndarray of shape (n_nodes,), int32
        Variable that a node splits.
    threshold : ndarray of shape (n_nodes,), int32
        Rows whose cell is not above it go to the left.
    leaf : ndarray of shape (n_nodes,), int32
        Number of the leaf; -1 for inner nodes and for leaves without training rows.
    roots : ndarray of shape (n_trees,), int32
        First node of each tree.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    leaf: np.ndarray
    roots: np.ndarray

    @classmethod
    def of(cls, trees: list[AdversarialTree], nodes: list[np.ndarray]) -> tuple[Self, np.ndarray]:
        """Put grown trees one after another.

        Parameters
        ----------
        trees : list of AdversarialTree
        nodes : list of ndarray of shape (n,)
            For each tree, the node of the leaf of each training row.

        Returns
        -------
        splits : Splits
        leaves : ndarray of shape (n_trees, n), int64
            Number of the leaf of each training row in each tree.
        """
        sizes = [len(tree.left) for tree in trees]
        roots = np.cumsum([0, *sizes])[:-1]
        offsets = np.repeat(roots, sizes)
        left, right, feature, threshold, n_rows = (
            np.concatenate([getattr(tree, name) for tree in trees]).astype(np.int64)
            for name in ("left", "right", "feature", "threshold", "n_rows")
        )
        is_leaf = (left < 0) & (n_rows > 0)
        leaf = np.where(is_leaf, np.cumsum(is_leaf) - 1, -1)
        left, right = (np.where(child < 0, -1, child + offsets) for child in (left, right))
        splits = cls(*(values.astype(np.int32) for values in (left, right, feature, threshold, leaf, roots)))
        return splits, np.stack([leaf[part + root] for part, root in zip(nodes, roots.tolist(), strict=True)])

    @property
    def n_leaves(self) -> int:
        """Number of leaves with training rows, of all trees together."""
        return int(self.leaf.max()) + 1

    def bounds(self, sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and the last cell of each variable in each leaf.

        Parameters
        ----------
        sizes : list of int
            Number of cells of each variable.

        Returns
        -------
        low, high : ndarray of shape (n_leaves, p), int32
        """
        low = np.zeros((len(self.left), len(sizes)), dtype=np.int32)
        high = np.tile(np.array(sizes, dtype=np.int32) - 1, (len(self.left), 1))
        nodes = self.roots[self.left[self.roots] >= 0]
        while len(nodes):  # all trees grow by one level at a time
            for children, ends, edge in ((self.left, high, 0), (self.right, low, 1)):
                below = children[nodes]
                low[below], high[below] = low[nodes], high[nodes]
                ends[below, self.feature[nodes]] = self.threshold[nodes] + edge
            nodes = np.concatenate([self.left[nodes], self.right[nodes]])
            nodes = nodes[self.left[nodes] >= 0]
        ends_at = np.flatnonzero(self.leaf >= 0)
        order = ends_at[np.argsort(self.leaf[ends_at])]
        return low[order], high[order]

    def reach(self, codes: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return all pairs of a row and a leaf that its known cells leave open.

        Parameters
        ----------
        codes : ndarray of shape (n, p), int
            Cells of the rows.
        known : ndarray of shape (n, p), bool
            Which of them are known.

        Returns
        -------
        rows, leaves : ndarray of shape (n_pairs,), int64
            In the order of the rows.
        """
        rows = np.repeat(np.arange(len(codes)), len(self.roots))
        nodes = np.tile(self.roots.astype(np.int64), len(codes))
        found = []
        while len(rows):
            is_end = self.left[nodes] < 0
            found.append((rows[is_end], self.leaf[nodes[is_end]]))
            rows, nodes = rows[~is_end], nodes[~is_end]
            feature = self.feature[nodes]
            open_ = ~known[rows, feature]
            is_left = codes[rows, feature] <= self.threshold[nodes]
            left, right = open_ | is_left, open_ | ~is_left
            rows = np.concatenate([rows[left], rows[right]])
            nodes = np.concatenate([self.left[nodes[left]], self.right[nodes[right]]]).astype(np.int64)
        rows, leaves = (np.concatenate([part[place] for part in found]) for place in (0, 1))
        kept = np.flatnonzero(leaves >= 0)
        order = kept[np.lexsort((leaves[kept], rows[kept]))]
        return rows[order], leaves[order].astype(np.int64)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Return the splits that `to_arrays` described."""
        return cls(*(arrays[name] for name in _FIELDS))
