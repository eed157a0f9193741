"""Data classes for the cells of a plan, each of which is one run that gives one results row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from distillkit.bench.planning._keys import PROTOCOL
from distillkit.bench.planning._suite import Limits, Suite

__all__ = ["ANY_LABELS", "FIXED_SIZE", "STUDENT", "Cell", "CellGroup", "Plan"]

FIXED_SIZE = "-"
"""The budget of methods whose result has a fixed size, whatever the budget of the suite."""

STUDENT = "student"
"""The evaluator of methods that reduce a model, whose student predicts the test rows itself."""

ANY_LABELS = "any"
"""The label mode of methods that reduce a model, which are compared whatever labels they use."""


@dataclass(frozen=True)
class Cell:
    """One combination of dataset, method, budget, distillation seed, evaluator and evaluation seed.

    For a method that reduces a model, the evaluator is "student", the budget "-" and the label mode
    "any".

    The fields have the names that they have in a results row. `key` is the hash of everything that
    determines the outcome, `distil_key` of everything that determines the distilled set, and
    `data_key` of everything that determines the data. `skip` is the reason why the cell is not run,
    or None, and `failure` the error because of which its dataset cannot be planned, or None.
    `split` is the number of the split into training and test rows, or None for a dataset with test
    rows of its own. `deterministic` says that all seeds have the same distilled set. `tuned_on`
    says what the parameters of the method were chosen by, and is empty for nothing. `primary` is
    the metric to rank by, or None if the classes of the dataset decide. `protocol`, `threads` and
    `evaluator_plugin` (the distribution that the evaluator comes from) complete what the keys are
    hashes of, see `distillkit.bench.planning._cell_keys.cell_keys`.
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
    failure: str | None = None
    task_note: str = ""
    split: int | None = None
    deterministic: bool = False
    tuned_on: tuple[str, ...] = ()
    primary: str | None = None
    protocol: int = PROTOCOL
    threads: int = 1
    evaluator_plugin: str = "distillkit"

    @property
    def reduces_model(self) -> bool:
        """Whether the method reduces a model, so that a single job fits and evaluates it."""
        return self.label_mode == ANY_LABELS

    def identity(self) -> dict[str, Any]:
        """Return the fields as a dict that can be written as JSON."""
        fields = asdict(self)
        fields["metrics"], fields["tuned_on"] = list(self.metrics), list(self.tuned_on)
        return fields


class RowReader(Protocol):
    """Anything that reads the stored row of a cell, such as a results store."""

    def row(self, key: str) -> dict[str, Any] | None:
        """Return a row, or None if there is none."""


@dataclass(frozen=True)
class CellGroup:
    """The cells that share one distilled set.

    Parameters
    ----------
    cells : tuple of Cell
    replaced : dict of str to dict
        The rows, by key, that were there when the run began and that it replaces.
    resources : dict of str to float
        What the engine reserves for the group, see `distillkit.bench.planning._suite.Entry`.
    """

    cells: tuple[Cell, ...]
    replaced: dict[str, dict[str, Any]] = field(default_factory=dict, hash=False)
    resources: dict[str, float] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> str:
        """What the cells share: the key of their distilled set."""
        return self.cells[0].distil_key

    def settled(self, cell: Cell, store: RowReader) -> dict[str, Any] | None:
        """Return the row of a cell, unless there is none or it is one that this run replaces."""
        row = store.row(cell.key)
        return None if row is None or row == self.replaced.get(cell.key) else row


@dataclass(frozen=True)
class Plan:
    """All cells of a suite, in the order in which they run."""

    suite: Suite
    cells: tuple[Cell, ...]
    data_root: Path | None
    limits: Limits = field(default_factory=Limits)

    def groups(self, cells: list[Cell] | None = None) -> list[CellGroup]:
        """Group all cells, or the given ones, by the distilled set that they share."""
        groups: dict[str, list[Cell]] = {}
        for cell in self.cells if cells is None else cells:
            groups.setdefault(cell.distil_key, []).append(cell)
        resources = {entry.label: entry.resources for entry in self.suite.methods or ()}
        return [CellGroup(tuple(group), {}, resources.get(group[0].method, {})) for group in groups.values()]
