"""Cells: the lines of results that a suite asks for, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from distillkit.bench.planning._suite import Limits, Suite

__all__ = ["ANY_LABELS", "FIXED_SIZE", "STUDENT", "Cell", "CellGroup", "Plan"]

FIXED_SIZE = "-"
"""Stands for the budget where the size of the result does not follow it."""

STUDENT = "student"
"""Stands for the evaluator where a method reduces a model: its student is what predicts."""

ANY_LABELS = "any"
"""The label mode of such cells: which labels the student learns from is what these methods differ in."""


@dataclass(frozen=True)
class Cell:
    """One line of results: dataset x method x budget x distillation seed x evaluator x evaluation seed.

    Of a method that reduces a model, the evaluator is "student", the budget "-" and the label mode "any".

    The names are those of a row in the results; `key` is the hash of all that decides the outcome, `distil_key` of
    all that decides the distilled set, `data_key` of all that decides the data.
    """

    suite: str
    dataset: str
    dataset_name: str
    dataset_params: dict[str, Any]
    dataset_revision: str
    task: str
    modality: str
    method: str
    method_name: str
    method_version: int
    method_params: dict[str, Any]
    kind: str
    role: str
    plugin: str
    plugin_version: str
    budget: str
    budget_value: Any
    distil_seed: int
    evaluator: str
    evaluator_name: str
    evaluator_version: int
    evaluator_params: dict[str, Any]
    eval_seed: int
    label_mode: str
    metrics: tuple[str, ...]
    key: str = ""
    distil_key: str = ""
    data_key: str = ""
    skip: str | None = None

    @property
    def reduces_model(self) -> bool:
        """Whether the method makes a model small, not rows: one job fits and judges it."""
        return self.label_mode == ANY_LABELS

    def identity(self) -> dict[str, Any]:
        """Return the fields as a JSON-able dict."""
        fields = asdict(self)
        fields["metrics"] = list(self.metrics)
        return fields


@dataclass(frozen=True)
class CellGroup:
    """Cells that share one distilled set."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Plan:
    """All cells of a suite, in the order in which they run."""

    suite: Suite
    cells: tuple[Cell, ...]
    data_root: Path | None
    limits: Limits = field(default_factory=Limits)

    def groups(self, cells: list[Cell] | None = None) -> list[CellGroup]:
        """Group cells by the distilled set they share."""
        together: dict[str, list[Cell]] = {}
        for cell in self.cells if cells is None else cells:
            together.setdefault(cell.distil_key, []).append(cell)
        return [CellGroup(tuple(group)) for group in together.values()]
