"""Base class of the rules by which methods are recommended."""

from __future__ import annotations

from abc import ABC, abstractmethod

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Rule"]


class Rule(ABC):
    """A rule of the field: in some situations, some methods are worthwhile and others are not.

    A rule knows methods by the fields of their registration alone, so that it holds for those of
    plugins as well.
    """

    @abstractmethod
    def applies(self, situation: Situation) -> bool:
        """Return whether the rule has anything to say in a situation."""

    @abstractmethod
    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        """Return what the rule says of a method in a situation in which it applies, or None."""
