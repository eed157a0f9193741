"""Validation by the first of several processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distillkit.condensation.loop._validation import Judge

if TYPE_CHECKING:
    from distillkit.condensation.loop._synthetic_rows import Snapshot
    from distillkit.condensation.processes._processes import Processes

__all__ = ["CommonJudge"]


class CommonJudge(Judge):
    """Lets the first process evaluate the rows, and tells the others the result.

    Parameters
    ----------
    judge : Judge
        What evaluates the rows.
    processes : Processes
    """

    def __init__(self, judge: Judge, processes: Processes) -> None:
        super().__init__(judge.every, judge.patience, judge.tol)
        self._judge, self._processes = judge, processes

    def measure(self, rows: Snapshot) -> tuple[float, dict[str, float]]:
        """Return the criterion to minimize and the figures of the first process."""
        return self._processes.first(lambda: self._judge.measure(rows))

    def judge(self, rows: Snapshot, iteration: int) -> tuple[dict[str, float], bool]:
        """Evaluate the rows; return the figures, and whether no earlier rows were better."""
        result = super().judge(rows, iteration)
        self.took = self._processes.first(lambda: self.took)
        return result
