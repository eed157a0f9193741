"""Groups of training rows with the same class, or with targets in the same quantile bin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from distillkit.synthesis._condition import Condition
from distillkit.utils._weighted_draw import weighted_draw

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["RowGroups"]

_MOST_BINS = 10
_ROWS_PER_BIN = 20


@dataclass(frozen=True, eq=False)
class RowGroups:
    """The map from labels to groups of rows, each of which has a distribution of its own.

    Parameters
    ----------
    condition : Condition
    edges : ndarray of shape (k,)
        Inner edges of the quantile bins of continuous targets.
    """

    condition: Condition
    edges: np.ndarray

    @classmethod
    def of(cls, rows: TrainingRows) -> Self:
        """Divide the training rows: at most ten bins of targets, of twenty rows at least."""
        condition = Condition.of(rows)
        if condition.targets is None:
            return cls(condition, np.empty(0))
        n_bins = int(np.clip(len(condition.targets) // _ROWS_PER_BIN, 1, _MOST_BINS))
        edges = np.unique(np.quantile(condition.targets, np.arange(1, n_bins) / n_bins))
        return cls(condition, edges[edges > condition.targets[0]])

    @property
    def size(self) -> int:
        """Number of groups."""
        classes = self.condition.classes
        return len(self.edges) + 1 if classes is None else len(classes)

    def numbers(self, y: np.ndarray | None, n_rows: int) -> np.ndarray:
        """Return the number of the group of each label (n_rows,), int64."""
        codes = self.condition.codes(y, n_rows)
        if codes is None:
            return np.zeros(n_rows, dtype=np.int64)
        if self.condition.targets is not None:
            return np.searchsorted(self.edges, codes, side="right")
        return codes.astype(np.int64)

    def members(self, rows: TrainingRows) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the number of each group with the positions of its rows."""
        numbers = self.numbers(rows.y, len(rows.X))
        for group in range(self.size):
            yield group, np.flatnonzero(numbers == group)

    def resampled(self, rows: TrainingRows, rng: np.random.RandomState) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the groups as `members` does, with rows drawn in proportion to their weights."""
        for group, members in self.members(rows):
            if rows.weight is not None:
                members = members[weighted_draw(rows.weight[members], len(members), rng)]  # noqa: PLW2901
            yield group, members

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the groups, and all else as plain values for JSON."""
        arrays, state = self.condition.to_state()
        return {**arrays, "edges": self.edges}, state

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Self:
        """Return the groups that `to_state` described."""
        return cls(Condition.from_state(arrays, state), arrays["edges"])
