"""The base of generators that draw the rows of each group from a distribution of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from distillkit.synthesis.controls._row_groups import RowGroups
from distillkit.synthesis.controls._row_space import RowSpace

if TYPE_CHECKING:
    from distillkit.synthesis._condition import Condition

__all__ = ["GroupGenerator"]


@dataclass(frozen=True, eq=False)
class GroupGenerator(ABC):
    """A generator with one distribution for each group of labels.

    Subclasses are dataclasses whose further fields are arrays, or dicts of arrays.

    Parameters
    ----------
    space : RowSpace
    groups : RowGroups
    """

    space: RowSpace
    groups: RowGroups

    @property
    def condition(self) -> Condition:
        """The labels that were trained on."""
        return self.groups.condition

    @abstractmethod
    def draw(self, group: int, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return vectors (n_rows, d) of a group, as `RowSpace.points` has them."""

    @staticmethod
    def picks(ends: np.ndarray, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return positions (n_rows,) drawn by weights, whose cumulative sums are `ends`."""
        drawn = np.searchsorted(ends, rng.random(n_rows) * ends[-1], side="right")
        picks: np.ndarray = np.minimum(drawn, len(ends) - 1)
        return picks

    def rows(self, n_rows: int, y: np.ndarray | None, seed: int) -> np.ndarray:
        """Return rows (n_rows, ...), float64, for labels (n_rows,)."""
        rng = np.random.default_rng(seed)
        numbers = self.groups.numbers(y, n_rows)
        points = np.empty((n_rows, len(self.space.center)))
        for group in np.unique(numbers).tolist():
            places = np.flatnonzero(numbers == group)
            points[places] = self.draw(group, len(places), rng)
        return self.space.rows(points)

    def points(self, X: np.ndarray) -> np.ndarray:
        """Return rows as points (n, d) between which distances can be compared."""
        return self.space.points(X)

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the generator, and all else as plain values for JSON."""
        space_arrays, space = self.space.to_state()
        group_arrays, groups = self.groups.to_state()
        arrays = {f"space.{name}": values for name, values in space_arrays.items()}
        arrays |= {f"groups.{name}": values for name, values in group_arrays.items()}
        for field in fields(self)[2:]:
            value = getattr(self, field.name)
            parts = value if isinstance(value, dict) else {"": value}
            arrays |= {f"{field.name}.{name}": values for name, values in parts.items()}
        return arrays, {"space": space, "groups": groups}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Self:
        """Return the generator that `to_state` described."""

        def part(name: str) -> dict[str, np.ndarray]:
            return {key.removeprefix(f"{name}."): v for key, v in arrays.items() if key.startswith(f"{name}.")}

        space = RowSpace.from_state(part("space"), state["space"])
        groups = RowGroups.from_state(part("groups"), state["groups"])
        further = [part(field.name) for field in fields(cls)[2:]]
        return cls(space, groups, *(parts[""] if list(parts) == [""] else parts for parts in further))
