"""Rare classes must not be lost."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Imbalanced"]


class Imbalanced(Rule):
    """Covering the rows of each class keeps rare ones; generators blur them."""

    def applies(self, situation: Situation) -> bool:
        return situation.imbalance >= 10

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("coverage"):
            return RuleVerdict(2, "It covers the rare classes and rows.")
        if candidate.kind == "synthesis":
            return RuleVerdict(-2, "Generators learn little of rare classes.")
        if candidate.kind == "control":
            return RuleVerdict(-1, f"The largest class has {situation.imbalance:.0f} times the rows of the smallest.")
        return None
