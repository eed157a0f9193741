"""An adversarial forest as a trained generator of encoded rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from distillkit.synthesis._condition import Condition
from distillkit.synthesis.forest._forest_density import ForestDensity
from distillkit.synthesis.forest._growing import Growth, grow
from distillkit.synthesis.requests._events import ColumnDecoder, events_of
from distillkit.synthesis.requests._given import Conditions
from distillkit.synthesis.tabular._cells import Cells
from distillkit.synthesis.tabular._resolution import resolution_of
from distillkit.synthesis.tabular._variables import Variables

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows
    from distillkit.synthesis.forest._leaf_mixture import Events
    from distillkit.tables import TableEncoder

__all__ = ["ForestGenerator"]


@dataclass(frozen=True, eq=False)
class ForestGenerator:
    """The density of a forest with the labels that it was trained on.

    Parameters
    ----------
    density : ForestDensity
    variables : Variables
    condition : Condition
    scale : ndarray of shape (d,)
        Standard deviations of the encoded columns, by which distances are measured.
    """

    density: ForestDensity
    variables: Variables
    condition: Condition
    scale: np.ndarray

    @classmethod
    def learn(
        cls, rows: TrainingRows, encoder: TableEncoder | None, scale: np.ndarray, growth: Growth, run: Run
    ) -> Self:
        """Divide the variables into cells, and grow the forest."""
        variables, condition = Variables.of(rows.X, encoder), Condition.of(rows)
        V, y = variables.values(rows.X), condition.codes(rows.y, len(rows.X))
        cells, gaps = _cells_of(variables, V, y, encoder)
        values = V
        if y is not None:
            labels = _label_cells(y, rows.task == "classification")
            cells, gaps, values = [labels, *cells], [-1, *gaps], np.column_stack([y, V])
        codes = np.column_stack([part.codes(column)[0] for part, column in zip(cells, values.T, strict=True)])
        mixture = grow(codes, rows.weight, [part.size for part in cells], growth, run)
        density = ForestDensity(tuple(cells), np.array(gaps, dtype=np.int64), mixture, y is not None)
        return cls(density, variables, condition, scale)

    def rows(self, n_rows: int, y: np.ndarray | None, seed: int) -> np.ndarray:
        """Return rows (n_rows, d), float64, for labels (n_rows,)."""
        return self.rows_in({}, n_rows, y, seed)[0]

    def rows_in(
        self, events: Events, n_rows: int, y: np.ndarray | None, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return rows (n_rows, d) within events, with the labels asked for, or with drawn ones."""
        rng = np.random.default_rng(seed)
        V, labels = self.density.draw(n_rows, self.condition.codes(y, n_rows), rng, events)
        X = self.variables.encode(V)
        if y is not None or labels is None:
            return X, y
        return X, labels if self.condition.classes is None else self.condition.classes[labels.astype(np.int64)]

    def events(self, conditions: Conditions, decoder: ColumnDecoder) -> Events:
        """Return the cells in which rows that meet conditions are, perhaps with other rows."""
        first = int(self.density.has_label)
        masks = events_of(conditions, self.variables, self.density.cells[first:], decoder)
        return {position + first: mask for position, mask in masks.items()}

    def points(self, X: np.ndarray) -> np.ndarray:
        """Return rows as points (n, d) whose columns are standardized."""
        points: np.ndarray = X.reshape(len(X), -1) / self.scale
        return points

    def to_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the generator, and all else as plain values for JSON."""
        density_arrays, density = self.density.to_state()
        condition_arrays, condition = self.condition.to_state()
        arrays = {f"density.{name}": values for name, values in density_arrays.items()} | {"scale": self.scale}
        arrays |= {f"condition.{name}": values for name, values in condition_arrays.items()}
        return arrays, {"density": density, "variables": self.variables.to_state(), "condition": condition}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], state: dict[str, Any]) -> Self:
        """Return the generator that `to_state` described."""

        def part(start: str) -> dict[str, np.ndarray]:
            return {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}

        return cls(
            ForestDensity.from_state(part("density."), state["density"]),
            Variables.from_state(state["variables"]),
            Condition.from_state(part("condition."), state["condition"]),
            arrays["scale"],
        )


def _cells_of(
    variables: Variables, V: np.ndarray, y: np.ndarray | None, encoder: TableEncoder | None
) -> tuple[list[Cells], list[int]]:
    """Return the cells of each variable, and the cell of its gaps or -1."""
    labels = np.zeros(len(V)) if y is None else y
    with_gaps: list[bool] = [False] * len(variables)
    if encoder is not None:
        with_gaps = [bool(getattr(column, "has_gaps", False)) for column in encoder.columns_ if column.parts]
    cells, gaps = [], []
    for variable, values, has_gaps in zip(variables.parts, V.T, with_gaps, strict=True):
        if variable.is_number:
            part = Cells.of_numbers(values, variable.resolution, discrete=variable.discrete, has_gaps=variable.has_gaps)
            gaps.append(part.size - 1 if variable.has_gaps else -1)
        else:
            part = Cells.of_levels(values.astype(np.int64), variable.n_levels, labels)
            last = variable.n_levels - 1
            has_level = has_gaps or variable.has_gaps or variable.kind == "mark"
            gaps.append(int(part.codes(np.full(1, last))[0][0]) if has_level else -1)
        cells.append(part)
    return cells, gaps


def _label_cells(y: np.ndarray, is_class: bool) -> Cells:
    if is_class:
        return Cells.of_levels(y.astype(np.int64), int(y.max()) + 1, np.zeros(len(y)))
    return Cells.of_numbers(y, resolution_of(y), discrete=len(np.unique(y)) <= 10)
