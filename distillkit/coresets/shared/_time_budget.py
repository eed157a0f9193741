"""How the classes of one fit share its wall-clock budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["split_time_budget"]


def split_time_budget(rows: TrainingRows, run: Run) -> Iterator[Callable[[], bool] | None]:
    """Give each group a rule that says when its time is over.

    Without shares the first classes would be done to the end and the last ones not at all. A group's share of the time
    left is its part of the work left (rows times distilled rows), so what one group does not use goes to the next.

    Yields
    ------
    callable or None
        One for each of ``rows.groups``, to be taken when the group starts; None without `max_seconds`. A rule
        that says stop notes it as what ended the fit.
    """
    work = [len(group.rows) * group.size for group in rows.groups]
    for index, own in enumerate(work):
        if run.max_seconds is None:
            yield None
        else:
            left = run.max_seconds - run.seconds
            yield partial(_is_over, run, run.seconds + left * own / sum(work[index:]))


def _is_over(run: Run, deadline: float) -> bool:
    if run.seconds < deadline:
        return False
    run.stopped_by = "max_seconds"
    return True
