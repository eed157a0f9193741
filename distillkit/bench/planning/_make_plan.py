"""Turns a suite into a plan, which lists the cells to run and those that are skipped."""

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
        Folder in which datasets are searched for; None takes it from the environment variable
        ``DISTILLKIT_DATA``.

    Raises
    ------
    UnknownNameError, PluginError
        If a name is not registered.
    SuiteError
        If a method does not have a given parameter, two entries are the same, or a primary metric
        does not measure its task.
    DatasetError
        If a dataset does not have a given option.
    DatasetNotFoundError
        If the files of a dataset are not on disk. Files that are there but cannot be read fail the
        cells of their dataset alone, see `Cell.failure`.
    """
    from distillkit.datasets import data_root as default_root

    root = data_root if data_root is not None else default_root()
    cells = tuple(Planner(suite, root, get_manager()).cells())
    _check_distinct(suite, cells)
    return Plan(suite, cells, root, suite.limits)


def _check_distinct(suite: Suite, cells: tuple[Cell, ...]) -> None:
    """Raise an error if two entries differ only in their labels, because they would share rows."""
    cell_of_key: dict[str, Cell] = {}
    for cell in cells:
        first = cell_of_key.setdefault(cell.key, cell)
        for kind in ("dataset", "method", "evaluator"):
            one, other = getattr(first, kind), getattr(cell, kind)
            if one != other:
                raise SuiteError(
                    f"{suite.line_of(other)}: {kind}s {one!r} and {other!r} are the same: leave one of them out."
                )
