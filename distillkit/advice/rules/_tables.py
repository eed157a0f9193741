"""Trees model the columns of tables best."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Tables"]


class Tables(Rule):
    """Trees take any column, and beat other generators on tables."""

    def applies(self, situation: Situation) -> bool:
        return situation.modality == "table"

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("tables"):
            return RuleVerdict(1, "It is the best generator of tables, and takes any column.")
        return None
