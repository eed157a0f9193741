"""Labels and values of rows as the predictors of trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distillkit.synthesis.tabular._scores import RankScore
from distillkit.synthesis.tabular._variables import Variables

__all__ = ["Predictors"]


@dataclass(frozen=True, eq=False)
class Predictors:
    """The map from labels and values to predictors, one column for each.

    Numbers become ranks. The levels of a category become whole numbers in the order of the mean
    label of their training rows, so that a tree divides them by few splits.

    Parameters
    ----------
    label : RankScore or None
        Ranks of continuous targets; None for classes, whose numbers are used, and without labels.
    scores : tuple of RankScore or ndarray
        For each variable, the ranks of its numbers or the places of its levels.
    """

    label: RankScore | None
    scores: tuple[Any, ...]

    @classmethod
    def of(cls, variables: Variables, V: np.ndarray, y: np.ndarray | None, *, is_class: bool) -> Self:
        """Learn the map from training values (n, p) and labels (n,), class numbers or targets."""
        label = None if y is None or is_class else RankScore.of(y)
        codes = np.zeros(len(V)) if y is None else y if label is None else label(y).astype(np.float64)
        scores = tuple(
            RankScore.of(V[:, position])
            if variable.is_number
            else _level_places(V[:, position].astype(np.int64), variable.n_levels, codes)
            for position, variable in enumerate(variables.parts)
        )
        return cls(label, scores)

    def of_label(self, y: np.ndarray) -> np.ndarray:
        """Return the predictor (n,) of class numbers or targets."""
        return y.astype(np.float32) if self.label is None else self.label(y)

    def of_variable(self, position: int, values: np.ndarray) -> np.ndarray:
        """Return the predictor (n,) of the values of a variable."""
        score = self.scores[position]
        predictor: np.ndarray = (
            score(values) if isinstance(score, RankScore) else score[values.astype(np.int64)].astype(np.float32)
        )
        return predictor

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        arrays: dict[str, np.ndarray] = {}
        for name, score in [("label", self.label), *((str(i), score) for i, score in enumerate(self.scores))]:
            if isinstance(score, RankScore):
                arrays |= {f"{name}.knots": score.knots, f"{name}.ranks": score.ranks}
            elif score is not None:
                arrays[f"{name}.places"] = score
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], size: int) -> Self:
        """Return the map of `size` variables that `to_arrays` described."""

        def score(name: str) -> Any:
            if f"{name}.knots" in arrays:
                return RankScore(arrays[f"{name}.knots"], arrays[f"{name}.ranks"])
            return arrays.get(f"{name}.places")

        return cls(score("label"), tuple(score(str(position)) for position in range(size)))


def _level_places(codes: np.ndarray, n_levels: int, labels: np.ndarray) -> np.ndarray:
    """Return the place of each level in the order of the mean label of its rows."""
    counts = np.bincount(codes, minlength=n_levels)
    means = np.bincount(codes, weights=labels, minlength=n_levels) / np.maximum(counts, 1)
    places = np.empty(n_levels, dtype=np.int64)
    places[np.lexsort((np.arange(n_levels), -counts, means))] = np.arange(n_levels)
    return places
