"""Large and varied data repay compute."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Compute"]


class Compute(Rule):
    """Large, varied data with time are where condensation, generators and teachers win."""

    def applies(self, situation: Situation) -> bool:
        return situation.compute and not situation.homogeneous and not situation.small

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.kind == "condensation":
            return RuleVerdict(
                2 if situation.modality == "table" else 4, "The rows are varied, and there is time to optimize."
            )
        if candidate.kind == "knowledge" and not candidate.is_control:
            return RuleVerdict(2, "There is time to train a teacher on all rows.")
        if candidate.kind == "synthesis":
            return RuleVerdict(1, "There is time to train a generator.")
        return None
