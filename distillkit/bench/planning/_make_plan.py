"""From a suite to cells: what would run, what is skipped and why."""

from __future__ import annotations

from pathlib import Path

from distillkit.bench.planning._cells import Cell, CellGroup, Plan
from distillkit.bench.planning._planner import Planner
from distillkit.bench.planning._suite import Suite
from distillkit.exceptions import SuiteError
from distillkit.plugins import get_manager

__all__ = ["Cell", "CellGroup", "Plan", "make_plan"]


def make_plan(suite: Suite, data_root: Path | None = None) -> Plan:
    """Resolve every name of a suite and list its cells.

    Parameters
    ----------
    suite : Suite
    data_root : Path or None
        Folder looked in for data; None takes the environment variable ``DISTILLKIT_DATA``.

    Raises
    ------
    UnknownNameError, PluginError
        If a name has no provider.
    SuiteError
        If a parameter is not one the method takes, two entries are the same, or a primary metric is not one of its task.
    DatasetNotFoundError
        If the files of a dataset are not on disk.
    """
    from distillkit.datasets import data_root as default_root

    root = data_root if data_root is not None else default_root()
    cells = tuple(Planner(suite, root, get_manager()).cells())
    _check_different(suite, cells)
    return Plan(suite, cells, root, suite.limits)


def _check_different(suite: Suite, cells: tuple[Cell, ...]) -> None:
    """Refuse two entries that differ in their labels only: they would share their rows."""
    seen: dict[str, Cell] = {}
    for cell in cells:
        twin = seen.setdefault(cell.key, cell)
        for kind in ("dataset", "method", "evaluator"):
            one, other = getattr(twin, kind), getattr(cell, kind)
            if one != other:
                raise SuiteError(
                    f"{suite.line_of(other)}: {kind}s {one!r} and {other!r} are the same: leave one of them out."
                )
