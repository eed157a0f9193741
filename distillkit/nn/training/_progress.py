"""How far a training is: by its steps or, where its time will end before them, by the clock."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress"]

_FROM = 0.5  # share of the time before which nothing is said of its end: first steps are slow
_MARGIN = 0.02  # of the training that the clock has to be ahead by: steps take unequal times


class Progress:
    """How far a training is, for its schedule of rates.

    A schedule that falls to zero by the last step leaves weights at a high rate where time ends before that step. So from half of the time on, if
    the training is too slow to end within it, what is left of the schedule is spread over the time left. A training that is never late goes by its
    steps alone, and is as reproducible as one without a clock.

    Parameters
    ----------
    elapsed : callable or None
        The share of the time that has passed; None is time without end.
    """

    def __init__(self, elapsed: Callable[[], float] | None = None) -> None:
        self._elapsed = elapsed
        self._half: tuple[float, float] | None = None
        self._late = False

    def __call__(self, by_steps: float) -> float:
        """Return the share of the training that is over, given the share of the steps, in (0, 1); to be asked before each step."""
        now = 0.0 if self._elapsed is None else min(self._elapsed(), 1.0)
        if now < _FROM:
            return by_steps
        if self._half is None:
            self._half = now, by_steps
        begun, done = self._half
        by_clock = done + (1 - done) * (now - begun) / (1 - begun) if begun < 1 else by_steps
        self._late = self._late or by_clock > by_steps + _MARGIN
        return max(by_steps, by_clock) if self._late else by_steps
