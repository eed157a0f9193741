"""A set that must not reveal training rows neither holds them nor starts from them."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Privacy"]


class Privacy(Rule):
    """Methods that publish training rows, or start from them, are excluded."""

    def applies(self, situation: Situation) -> bool:
        return situation.privacy

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.exposes_originals:
            return RuleVerdict.exclusion("It publishes training rows as they are.")
        if candidate.starts_from_real:
            return RuleVerdict.exclusion("Its rows start as training rows, and may stay close to them.")
        if candidate.kind == "synthesis":
            return RuleVerdict(4, "It draws new rows from a model of the data.")
        if candidate.kind == "coreset":
            return RuleVerdict(-4, "It averages rows, and the average of one row is that row.")
        return None
