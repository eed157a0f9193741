"""A decision tree as plain arrays, which can be saved and gives the same leaves in any version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

__all__ = ["FlatTree"]

_FIELDS = ("left", "right", "feature", "threshold", "missing_left")


@dataclass(frozen=True, eq=False)
class FlatTree:
    """The splits of a fitted tree of scikit-learn.

    Parameters
    ----------
    left, right : ndarray of shape (n_nodes,), int32
        Children of each node; -1 for leaves.
    feature : ndarray of shape (n_nodes,), int32
        Column that a node splits.
    threshold : ndarray of shape (n_nodes,), float64
        Rows with values up to it go to the left.
    missing_left : ndarray of shape (n_nodes,), bool
        Whether rows whose value is NaN go to the left.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray

    @classmethod
    def of(cls, model: Any) -> Self:
        """Copy the splits of a fitted decision tree of scikit-learn."""
        tree = model.tree_
        return cls(
            tree.children_left.astype(np.int32),
            tree.children_right.astype(np.int32),
            tree.feature.astype(np.int32),
            tree.threshold.astype(np.float64),
            np.asarray(tree.missing_go_to_left).astype(bool),
        )

    @classmethod
    def root(cls) -> Self:
        """Return a tree of a single leaf."""
        minus = np.full(1, -1, dtype=np.int32)
        return cls(minus, minus, minus, np.zeros(1), np.zeros(1, dtype=bool))

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.left)

    def apply(self, P: np.ndarray) -> np.ndarray:
        """Return the node number of the leaf of each row.

        Parameters
        ----------
        P : ndarray of shape (n, p), float32
            Predictors; NaN where missing.

        Returns
        -------
        ndarray of shape (n,), int64
        """
        nodes = np.zeros(len(P), dtype=np.int64)
        active = np.arange(len(P)) if self.left[0] >= 0 else np.empty(0, dtype=np.int64)
        while len(active):  # all rows descend by one level at a time
            here = nodes[active]
            values = P[active, self.feature[here]]
            goes_left = np.where(np.isnan(values), self.missing_left[here], values <= self.threshold[here])
            here = np.where(goes_left, self.left[here], self.right[here]).astype(np.int64)
            nodes[active] = here
            active = active[self.left[here] >= 0]
        return nodes

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Return the tree that `to_arrays` described."""
        return cls(*(arrays[name] for name in _FIELDS))
