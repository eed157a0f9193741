"""Condensation serves models that are trained by gradients."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Gradients"]


class Gradients(Rule):
    """Condensed rows match gradients or features of networks, which other models do not use."""

    def applies(self, situation: Situation) -> bool:
        return not situation.gradients

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.kind == "condensation":
            return RuleVerdict(-4, "The model has no gradients, and these rows are made for networks.")
        if candidate.kind == "coreset" and not candidate.is_control:
            return RuleVerdict(0.5, "It does not depend on the gradients of a model.")
        return None
