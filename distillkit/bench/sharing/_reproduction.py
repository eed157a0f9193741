"""Runs the cell of a stored row again, from the row alone, and compares the outcomes."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distillkit.bench.execution._group_runner import GroupRunner
from distillkit.bench.planning._cell_keys import cell_keys
from distillkit.bench.planning._cells import Cell, CellGroup
from distillkit.bench.planning._suite import Limits
from distillkit.bench.results._environment import collect_environment, environment_key
from distillkit.bench.results._store import ResultsStore
from distillkit.bench.sharing._changed_versions import changed_environment, changed_registrations
from distillkit.bench.sharing._own_objects import not_checkable
from distillkit.bench.sharing._row_source import RowSource
from distillkit.bench.sharing._row_values import Difference, row_differences
from distillkit.exceptions import ArtefactError, ResultsError

__all__ = ["Reproduction", "reproduce"]

_NEEDED = ("dataset_name", "dataset_params", "method_name", "method_version", "plugin", "metric_versions")


@dataclass(frozen=True)
class Reproduction:
    """The outcome of running the cell of a row again.

    Parameters
    ----------
    stored, found : dict
        The stored row, and that of this run.
    differences : list of Difference
        The values that differ; times are not compared.
    changes : list of str
        Versions, hardware and settings that differ between the two runs, in words.
    notes : list of str
        What was not compared, and what else bears on the outcome, in sentences.
    """

    stored: dict[str, Any]
    found: dict[str, Any]
    differences: list[Difference] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """Whether all values are the same bit for bit."""
        return not self.differences


def reproduce(row: Mapping[str, Any], source: RowSource, data_root: Path | None = None) -> Reproduction:
    """Run the cell of a row in a temporary folder, and compare all but the times bit for bit.

    Parameters
    ----------
    row : mapping
        A stored row.
    source : RowSource
        Where the row is from: its environment, and the distilled set of a row without a checksum.
    data_root : Path or None
        Folder in which datasets are searched for; None takes it from the environment variable
        ``DISTILLKIT_DATA``.

    Returns
    -------
    Reproduction

    Raises
    ------
    ResultsError
        If the row lacks a field that its cell is made from, or is of an object of whoever ran it.
    UnknownNameError, PluginError
        If its method, dataset or evaluator is not installed.
    """
    from distillkit.datasets import data_root as default_root

    root = data_root if data_root is not None else default_root()
    cell = _cell_of(row, root)
    changes = changed_registrations(cell, root)
    environment = collect_environment()
    with tempfile.TemporaryDirectory(prefix="distillkit-reproduce-") as temporary, ResultsStore(temporary) as store:
        found = _run(cell, row, store, root, environment_key(environment))
        differences = row_differences(row, found)
        notes = _notes(row, source, store, differences)
    stored_environment = source.environment(row)
    if stored_environment:
        changes += changed_environment(stored_environment, environment)
    else:
        notes.append("The environment of the row is not stored, so that its versions cannot be compared.")
    return Reproduction(dict(row), found, differences, changes, notes)


def _run(
    cell: Cell, row: Mapping[str, Any], store: ResultsStore, root: Path | None, environment: str
) -> dict[str, Any]:
    """Run one cell under the limits of its row, and return the new row."""
    default = Limits()
    runner = GroupRunner(
        folder=store.folder.absolute(),
        data_root=root,
        seconds=float(row.get("limit_seconds") or default.seconds),
        memory_mb=float(row.get("limit_mb") or default.memory_mb),
        threads=cell.threads,
        n_concurrent=1,
        environment=environment,
    )
    (found,) = runner(CellGroup((cell,)))
    return found


def _cell_of(row: Mapping[str, Any], root: Path | None) -> Cell:
    """Return the cell of a row."""
    if (reason := not_checkable(row)) is not None:
        raise ResultsError(f"the row {row['key']} cannot run again: {reason}.")
    missing = [name for name in _NEEDED if name not in row]
    if missing:
        raise ResultsError(
            f"the row {row['key']} lacks {', '.join(missing)}, without which its cell cannot run: give the results "
            "folder with its plan.json, or run the suite again with this version."
        )
    names = {each.name for each in dataclasses.fields(Cell)}
    values = {name: value for name, value in row.items() if name in names}
    values |= {"metrics": tuple(row["metric_versions"]), "tuned_on": tuple(row.get("tuned_on") or ())}
    values["threads"] = int(row.get("threads") or 1)
    values["dataset_params"] = {
        name: _located(value, root) if name in ("path", "test_path") else value
        for name, value in row["dataset_params"].items()
    }
    if row.get("phase") == "plan":  # What the plan left out then may run now.
        values |= {"skip": None, "failure": None}
    return Cell(**values)


def _located(path: Any, root: Path | None) -> Any:
    """Return the path of a file; one that is elsewhere on this machine is searched for by name."""
    given = Path(str(path))
    if root is None or not given.is_absolute() or given.exists():
        return path
    beside = root / given.name
    return str(beside) if beside.exists() else path


def _notes(row: Mapping[str, Any], source: RowSource, store: ResultsStore, differences: list[Difference]) -> list[str]:
    """Compare the distilled set of a row without a checksum, and say what was not compared."""
    notes = []
    if row.get("artefact") and not row.get("set_digest"):
        path = source.artefact(row)
        if path is None:
            notes.append("The distilled set was not compared: the row has no checksum of it, and its file is not here.")
        else:
            digests = [_digest(each) for each in (path, store.artefact_path(str(row["distil_key"])))]
            if digests[0] != digests[1]:
                differences.append(Difference("set_digest", *digests))
    if differences and row.get("stopped_by") == "max_seconds":
        notes.append("A limit of seconds ended the distillation, so that its result depends on the speed of the run.")
    if row.get("key") and cell_keys(row).key != row["key"]:
        notes.append("The key of the row is not that of its fields: the row was changed after it was written.")
    return notes


def _digest(path: Path) -> str | None:
    from distillkit.distilled._reading import read_card

    try:
        return str(read_card(path)["sha256"])
    except ArtefactError:
        return None
