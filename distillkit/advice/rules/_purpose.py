"""A method must give what was asked for: a small set of rows."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation
from distillkit.specs import REFERENCE

__all__ = ["Purpose"]


class Purpose(Rule):
    """Methods for another purpose are excluded."""

    def applies(self, situation: Situation) -> bool:
        return True

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.spec.reduces != "rows":
            return RuleVerdict.exclusion("It makes a model small, not the rows.")
        if candidate.kind == "automatic":
            return RuleVerdict.exclusion("It chooses among the other methods, and would try all of them.")
        if candidate.spec.role == REFERENCE:
            return RuleVerdict.exclusion("It ignores the budget and serves for orientation on leaderboards.")
        if candidate.suits("chunks"):
            return RuleVerdict.exclusion("It is for rows that arrive in chunks, and these rows fit in memory.")
        return None
