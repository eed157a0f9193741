"""Which loss a network student minimizes, and how its weights change over the epochs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["LossPlan", "Schedule", "at"]

Schedule = tuple[float, float] | Callable[[float], float] | None
"""The values at the first and the last epoch, or a function of the progress from 0 to 1."""


def at(schedule: Schedule, progress: float, constant: float) -> float:
    """Return the value of a schedule, or the constant where there is none.

    Parameters
    ----------
    schedule : (float, float), callable or None
    progress : float in [0, 1]
        0 in the first epoch and 1 in the last.
    constant : float
    """
    if schedule is None:
        return constant
    if callable(schedule):
        return float(schedule(progress))
    first, last = schedule
    return float(first + (last - first) * progress)


@dataclass(frozen=True)
class LossPlan:
    """The loss of a network student and its schedules.

    Parameters
    ----------
    loss : str
        See `distillkit.knowledge._soft_losses.soft_loss`.
    temperature, alpha : Schedule
        Values by epoch that replace those of all epochs; that of alpha holds for rows that have a
        label.
    """

    loss: str = "kd"
    temperature: Schedule = None
    alpha: Schedule = None
