"""What a panel of students shows beside the deciding metric: how small, how fast, how like the teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from distillkit.bench.leaderboard import Panel
from distillkit.bench.reporters import _format as f

__all__ = ["FIGURES", "LEGEND", "Figure", "student_figures"]

LEGEND = (
    "student: agrees = share of the test rows predicted as by the teacher (of numbers: R2); smaller, faster = the teacher's parameters and "
    "seconds over the model's own; distil = training and asking the teacher, train = training the model that predicts."
)


@dataclass(frozen=True)
class Figure:
    """A column of a panel of students.

    Parameters
    ----------
    key, title : str
        Column of the leaderboard's table, and what it is called here.
    show : callable
        A value as text.
    timed : bool
        Whether it is a time, which does not compare where cells ran side by side.
    """

    key: str
    title: str
    show: Callable[[Any], str]
    timed: bool = False

    def text(self, entry: dict[str, Any]) -> str:
        """Return the value of a line as text."""
        return self.show(entry.get(self.key))


FIGURES = (
    Figure("agreement", "agrees", f.fixed),
    Figure("parameters", "parameters", lambda value: f.general(value, 6)),
    Figure("parameter-compression", "smaller", f.ratio),
    Figure("latency-ratio", "faster", f.ratio, timed=True),
    Figure("seconds-distil", "distil", f.duration, timed=True),
    Figure("seconds-train", "train", f.duration, timed=True),
)


def student_figures(panel: Panel) -> list[Figure]:
    """Return the columns for which a line of the panel has a value; none unless it is a panel of students."""
    entries = panel.entries.values() if panel.of_students else ()
    return [figure for figure in FIGURES if any(entry.get(figure.key) is not None for entry in entries)]
