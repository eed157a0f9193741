"""A linear model has sets made for it."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["LinearModel"]


class LinearModel(Rule):
    """Closed forms and leverage scores serve linear models."""

    def applies(self, situation: Situation) -> bool:
        return situation.linear

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("linear"):
            return RuleVerdict(2, "It is made for linear models.")
        return None
