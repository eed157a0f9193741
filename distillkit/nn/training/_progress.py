"""Progress of a training, by its steps or by the clock if its time will end before them."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress"]

_FROM = 0.5  # share of the time from which the clock is looked at; earlier, slow first steps mislead
_MARGIN = 0.02  # tolerated lag of the steps behind the clock, since steps take unequal times


class Progress:
    """Share of a training that is complete, which sets the position in its learning rate schedule.

    A schedule that falls to zero by the last step would end at a high learning rate if the time
    limit ended the training before that step. Therefore, from half of the time on, if the training
    is too slow to finish in time, the rest of the schedule is spread over the remaining time. A
    training that is never late follows its steps alone, and is as reproducible as one without a
    time limit.

    Parameters
    ----------
    elapsed : callable or None, default=None
        Returns the share of the time limit that has passed; None means that there is no limit.
    """

    def __init__(self, elapsed: Callable[[], float] | None = None) -> None:
        self._elapsed = elapsed
        self._halfway: tuple[float, float] | None = None
        self._late = False

    def __call__(self, by_steps: float) -> float:
        """Return the share of the training that is complete; to be called before each step.

        Parameters
        ----------
        by_steps : float
            Share of the steps that are done, in (0, 1).

        Returns
        -------
        float
        """
        # 1. Before half of the time, count steps only.
        now = 0.0 if self._elapsed is None else min(self._elapsed(), 1.0)
        if now < _FROM:
            return by_steps
        # 2. From there, interpolate by the clock so that the progress is 1 when the time is over.
        if self._halfway is None:
            self._halfway = now, by_steps
        time_then, steps_then = self._halfway
        by_clock = steps_then + (1 - steps_then) * (now - time_then) / (1 - time_then) if time_then < 1 else by_steps
        # 3. Once the steps have fallen behind the clock, follow the clock.
        self._late = self._late or by_clock > by_steps + _MARGIN
        return max(by_steps, by_clock) if self._late else by_steps
