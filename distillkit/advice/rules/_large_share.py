"""A share of the rows leaves room for real ones."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["LargeShare"]


class LargeShare(Rule):
    """Where a share is kept, real rows that differ serve best."""

    def applies(self, situation: Situation) -> bool:
        return situation.share >= 0.05 and not situation.small

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("large-share"):
            return RuleVerdict(1.5, "There is room for real rows that differ from each other.")
        if candidate.makes_rows and candidate.needs_networks:
            return RuleVerdict(-1, f"It would have to optimize {situation.budget_rows} rows.")
        return None
