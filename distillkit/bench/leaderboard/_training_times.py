"""Compares the cost of training on distilled sets with that of training on the whole set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean, median, quantiles
from typing import TYPE_CHECKING

from distillkit.bench.leaderboard._entry import finite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from distillkit.bench.leaderboard._entry import LeaderboardEntry

__all__ = ["TRAINING_COLUMNS", "TrainingTimes", "training_times"]

TRAINING_COLUMNS = ("seconds-train-whole", "training-time-reduction", "training-step-reduction")

_FEWEST = 3
"""Measured fits that a time is the median of, at least."""
_AGREEMENT = 1.3
"""Largest ratio of two times of the same work; where it is exceeded, no time is given."""

Setting = tuple[str, str, str]


@dataclass(frozen=True)
class TrainingTimes:
    """The cost of training on the rows of an entry.

    Parameters
    ----------
    cpu_seconds : float or None
        Median CPU time of one fit; None if fewer than three fits were measured, if their quartiles
        are further apart than a factor of 1.3, or if this holds for another entry with as many rows
        and optimizer steps.
    steps : float or None
        Mean number of optimizer steps, if the evaluator has them.
    seconds : float or None
        Mean wall-clock seconds of the first fit.
    """

    cpu_seconds: float | None
    steps: float | None
    seconds: float | None


def training_times(entries: Sequence[LeaderboardEntry]) -> list[dict[str, float | None]]:
    """Return the columns `TRAINING_COLUMNS` of each entry.

    The reduction is the cost of training on the whole set divided by that of training on the rows
    of the entry, for the same dataset and evaluator: once in CPU time and once in optimizer steps.

    Parameters
    ----------
    entries : sequence of LeaderboardEntry
        All entries of a leaderboard.
    """
    times = [
        TrainingTimes(_cpu_seconds(entry), _mean(entry, "steps_train"), entry.mean("seconds-train"))
        for entry in entries
    ]
    _drop_contradictions(entries, times)
    whole: dict[Setting, TrainingTimes] = {}
    for entry, cost in zip(entries, times, strict=True):
        if entry.is_whole and entry.ok:
            whole.setdefault(_setting(entry), cost)
    nothing = TrainingTimes(None, None, None)
    return [_columns(cost, whole.get(_setting(entry), nothing)) for entry, cost in zip(entries, times, strict=True)]


def _setting(entry: LeaderboardEntry) -> Setting:
    dataset, task, evaluator = (entry.cell[name] for name in ("dataset", "task", "evaluator"))
    return dataset, task, evaluator


def _columns(cost: TrainingTimes, whole: TrainingTimes) -> dict[str, float | None]:
    values = (whole.seconds, _ratio(whole.cpu_seconds, cost.cpu_seconds), _ratio(whole.steps, cost.steps))
    return dict(zip(TRAINING_COLUMNS, values, strict=True))


def _ratio(whole: float | None, part: float | None) -> float | None:
    return None if whole is None or not part else whole / part


def _mean(entry: LeaderboardEntry, field: str) -> float | None:
    values = _finite(row.get(field) for row in entry.ok)
    return fmean(values) if values else None


def _finite(values: Iterable[object]) -> list[float]:
    return [value for value in map(finite, values) if value is not None]


def _cpu_seconds(entry: LeaderboardEntry) -> float | None:
    """Return the median over the cells, or None if there are too few fits or they disagree."""
    seconds = _finite(row.get("cpu_train") for row in entry.ok)
    if sum(int(finite(row.get("n_timed_train")) or 0) for row in entry.ok) < _FEWEST or not seconds:
        return None
    if len(seconds) > 1:
        low, _, high = quantiles(seconds, n=4, method="inclusive")
        if low <= 0 or high / low > _AGREEMENT:
            return None
    return median(seconds)


def _drop_contradictions(entries: Sequence[LeaderboardEntry], times: list[TrainingTimes]) -> None:
    """Drop the times of entries that did the same work and whose times differ too much.

    The work is the same if the evaluator trained on as many rows by as many steps. The times then
    say more about the machine than about the sets.
    """
    same_work: dict[tuple[object, ...], list[int]] = {}
    for index, (entry, cost) in enumerate(zip(entries, times, strict=True)):
        key = (*_setting(entry), entry.cell["label_mode"], _mean(entry, "rows"), cost.steps)
        if cost.cpu_seconds is not None:
            same_work.setdefault(key, []).append(index)
    for indices in same_work.values():
        seconds = [times[index].cpu_seconds or 0.0 for index in indices]
        if max(seconds) > _AGREEMENT * min(seconds):
            for index in indices:
                times[index] = replace(times[index], cpu_seconds=None)
