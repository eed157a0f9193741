"""Division of the wall-clock budget of a fit over its classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distillkit.base import Group, Run

__all__ = ["split_time_budget"]


def split_time_budget(groups: Sequence[Group], run: Run, *, by_row: bool = True) -> Iterator[Callable[[], bool] | None]:
    """Yield a stop rule for each group that limits it to its part of the remaining time.

    The part of a group is proportional to its work (rows times distilled rows), so that all groups
    are treated alike; time that a group does not use goes to the following groups. The progress of
    the run counts the distilled rows.

    Parameters
    ----------
    groups : sequence of Group
    run : Run
    by_row : bool, default=True
        Whether a rule is asked once for each row that is selected, so that it counts them.
        Otherwise there is a rule only with `max_seconds`.

    Yields
    ------
    callable or None
        One rule for each group, to be taken when the group starts; None without a limit. A rule
        that returns True also records "max_seconds" as the reason for stopping.
    """
    work = [len(group.rows) * group.size for group in groups]
    total, done = sum(group.size for group in groups), 0
    for index, (group, group_work) in enumerate(zip(groups, work, strict=True)):
        run.progress.update(done, total)
        deadline = None
        if run.max_seconds is not None:
            remaining = run.max_seconds - run.seconds
            deadline = run.seconds + remaining * group_work / sum(work[index:])
        if by_row:
            yield _StopRule(run, deadline, done, done + group.size, total)
        else:
            yield None if deadline is None else partial(_is_over, run, deadline)
        done += group.size
    run.progress.update(done, total)


class _StopRule:
    """A stop rule that is asked after each row of a group, and counts these rows."""

    def __init__(self, run: Run, deadline: float | None, done: int, last: int, total: int) -> None:
        self._run, self._deadline = run, deadline
        self._done, self._last, self._total = done, last, total

    def __call__(self) -> bool:
        self._done = min(self._done + 1, self._last)
        self._run.progress.update(self._done, self._total)
        return self._deadline is not None and _is_over(self._run, self._deadline)


def _is_over(run: Run, deadline: float) -> bool:
    """Whether the deadline of a group has passed; if so, record it as the reason for stopping."""
    if run.seconds < deadline:
        return False
    run.stopped_by = "max_seconds"
    return True
