"""What serves most models on most data comes first."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["FirstTry"]


class FirstTry(Rule):
    """Clustering is fast and hard to beat, and the controls belong in every comparison."""

    def applies(self, situation: Situation) -> bool:
        return True

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("first-try"):
            return RuleVerdict(3, "It is fast, and hard to beat on most data.")
        if candidate.is_control and candidate.kind == "control":
            return RuleVerdict(1, "It costs next to nothing, and every other method must beat it.")
        return None
