"""Tells the cells of a group that do not run."""

from __future__ import annotations

from collections.abc import Iterator

from distillkit.bench.execution._job_process import JobResult
from distillkit.bench.planning._cells import Cell, CellGroup

__all__ = ["left_out"]


def left_out(group: CellGroup) -> Iterator[tuple[Cell, JobResult, str]]:
    """Yield the cells of a group that do not run, with the reason."""
    for cell in group.cells:
        if cell.failure is not None:
            yield cell, JobResult("failed", {}, cell.failure, 0.0, 0.0), "plan"
        elif cell.skip is not None:
            yield cell, JobResult("skipped", {}, cell.skip, 0.0, 0.0), "plan"
