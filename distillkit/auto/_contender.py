"""A method that takes part in the choice."""

from __future__ import annotations

from dataclasses import dataclass

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._recommended import Recommended

__all__ = ["Contender"]


@dataclass(frozen=True, eq=False)
class Contender:
    """A method that takes part in the choice.

    Parameters
    ----------
    candidate : MethodCandidate
    judged : Recommended
        What the rules say of it.
    eligible : bool, default=True
        Whether it may be chosen. Where the set must not reveal training rows, the random subset is
        measured for comparison alone.
    """

    candidate: MethodCandidate
    judged: Recommended
    eligible: bool = True

    @property
    def name(self) -> str:
        """Registered name."""
        return self.candidate.name

    @property
    def stepping(self) -> bool:
        """Whether it takes steps until its seconds are over."""
        return self.candidate.time_bound

    @property
    def is_control(self) -> bool:
        """Whether it is the random subset, or its like for soft labels."""
        return self.candidate.is_control

    @property
    def simplicity(self) -> int:
        """Place in the order in which equal methods are preferred.

        Random rows are 0, methods that train no networks 1, and those that do 2. The order depends
        on no clock.
        """
        if self.is_control:
            return 0
        return 2 if self.candidate.needs_networks else 1
