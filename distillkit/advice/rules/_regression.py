"""Few rows with continuous targets."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Regression"]


class Regression(Rule):
    """Some methods are known to serve regression."""

    def applies(self, situation: Situation) -> bool:
        return situation.task == "regression"

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("regression"):
            return RuleVerdict(2, "It is known to serve regression.")
        return None
