"""Sequential trees as a trained generator of encoded rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distillkit.synthesis._condition import Condition
from distillkit.synthesis.tabular._variables import Variables
from distillkit.synthesis.trees._sequential_trees import SequentialTrees

__all__ = ["TreeGenerator"]


@dataclass(frozen=True, eq=False)
class TreeGenerator:
    """Sequential trees with the labels that they were trained on.

    Parameters
    ----------
    model : SequentialTrees
    condition : Condition
    scale : ndarray of shape (d,)
        Standard deviations of the encoded columns, by which distances are measured.
    """

    model: SequentialTrees
    condition: Condition
    scale: np.ndarray

    def rows(self, n_rows: int, y: np.ndarray | None, seed: int) -> np.ndarray:
        """Return rows (n_rows, d), float64, for labels (n_rows,)."""
        codes = self.condition.codes(y, n_rows)
        return self.model.variables.encode(self.model.draw(n_rows, codes, np.random.default_rng(seed)))

    def points(self, X: np.ndarray) -> np.ndarray:
        """Return rows as points (n, d) whose columns are standardized."""
        points: np.ndarray = X.reshape(len(X), -1) / self.scale
        return points

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the generator, and all else as plain values for JSON."""
        arrays = {f"model.{name}": values for name, values in self.model.to_arrays().items()}
        condition_arrays, condition = self.condition.to_state()
        arrays |= {f"condition.{name}": values for name, values in condition_arrays.items()} | {"scale": self.scale}
        return arrays, {"variables": self.model.variables.to_state(), "condition": condition}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Self:
        """Return the generator that `to_state` described."""
        model = {k.removeprefix("model."): v for k, v in arrays.items() if k.startswith("model.")}
        condition = {k.removeprefix("condition."): v for k, v in arrays.items() if k.startswith("condition.")}
        return cls(
            SequentialTrees.from_arrays(model, Variables.from_state(state["variables"])),
            Condition.from_state(condition, state["condition"]),
            arrays["scale"],
        )
