"""Division of the wall-clock budget of a fit over its classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distillkit.base import Group, Run

__all__ = ["split_time_budget"]


def split_time_budget(groups: Sequence[Group], run: Run) -> Iterator[Callable[[], bool] | None]:
    """Yield a stop rule for each group that limits the group to its part of the remaining time.

    The part of a group is proportional to its work (rows times distilled rows), so that all groups
    are treated alike; time that a group does not use goes to the following groups.

    Yields
    ------
    callable or None
        One rule for each group, to be taken when the group starts; None without
        `max_seconds`. A rule that returns True also records "max_seconds" as the reason for
        stopping.
    """
    work = [len(group.rows) * group.size for group in groups]
    for index, group_work in enumerate(work):
        if run.max_seconds is None:
            yield None
        else:
            remaining = run.max_seconds - run.seconds
            yield partial(_is_over, run, run.seconds + remaining * group_work / sum(work[index:]))


def _is_over(run: Run, deadline: float) -> bool:
    """Whether the deadline of a group has passed; if so, record it as the reason for stopping."""
    if run.seconds < deadline:
        return False
    run.stopped_by = "max_seconds"
    return True
