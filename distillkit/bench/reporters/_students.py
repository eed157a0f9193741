"""The columns of a panel of students: agreement with the teacher, size, speed and costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from distillkit.bench.leaderboard import Panel
from distillkit.bench.reporters import _format as fmt

__all__ = ["LEGEND", "STUDENT_COLUMNS", "StudentColumn", "student_columns_of"]

LEGEND = (
    "Students: recovered = share of the gap between teacher and student alone that the student recovers, with its "
    "95 % interval; where the teacher is not better by more than noise, there is none, and no rank; "
    "agrees = fraction of the test rows for which student and teacher predict the same class "
    "(in regression: R2 between their predictions); smaller, faster = the teacher's number of parameters and "
    "prediction time divided by the student's; distil = time to train the teacher and compute its predictions; "
    "train = time to train the student."
)
"""Explanation of the columns."""


@dataclass(frozen=True)
class StudentColumn:
    """A column of a panel of students.

    Parameters
    ----------
    key, title : str
        Column of the leaderboard's table, and its heading in the panel.
    show : callable
        Formats a value as text.
    timed : bool, default=False
        Whether the value is a time, which is not comparable if cells ran in parallel.
    """

    key: str
    title: str
    show: Callable[[Any], str]
    timed: bool = False

    def text(self, entry: dict[str, Any]) -> str:
        """Return the value of an entry as text."""
        return self.show(entry.get(self.key))


@dataclass(frozen=True)
class RecoveredColumn(StudentColumn):
    """The recovered share of the gap, with its interval."""

    def text(self, entry: dict[str, Any]) -> str:
        """Return the share and the ends of its interval as text, in percent."""
        share, low, high = (entry.get(name) for name in ("gap_recovered", "gap_low", "gap_high"))
        if share is None or low is None or high is None:
            return fmt.NO_VALUE
        return f"{share:.0%} [{100 * low:.0f}, {100 * high:.0f}]"


STUDENT_COLUMNS = (
    RecoveredColumn("gap_recovered", "recovered", fmt.fixed),
    StudentColumn("agreement", "agrees", fmt.fixed),
    StudentColumn("parameters", "parameters", lambda value: fmt.general(value, 6)),
    StudentColumn("parameter-compression", "smaller", fmt.ratio),
    StudentColumn("latency-ratio", "faster", fmt.ratio, timed=True),
    StudentColumn("seconds-distil", "distil", fmt.duration, timed=True),
    StudentColumn("seconds-train", "train", fmt.duration, timed=True),
)


def student_columns_of(panel: Panel) -> list[StudentColumn]:
    """Return the columns that have a value in a panel of students; none for other panels."""
    entries = panel.entries.values() if panel.of_students else ()
    return [column for column in STUDENT_COLUMNS if any(entry.get(column.key) is not None for entry in entries)]
