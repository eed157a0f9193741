"""Probabilities as labels need models that take them."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["ProbabilityLabels"]


class ProbabilityLabels(Rule):
    """Not every model learns from soft labels."""

    def applies(self, situation: Situation) -> bool:
        return not situation.gradients

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.spec.label_mode == "soft":
            return RuleVerdict(-2, "Its labels are probabilities, which the model may not take.")
        return None
