"""The order in time says more than centroids keep."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["SeriesData"]


class SeriesData(Rule):
    """Methods that use the order in time come first."""

    def applies(self, situation: Situation) -> bool:
        return situation.modality == "series"

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("series"):
            return RuleVerdict(2 if candidate.kind == "condensation" else 1.5, "It uses the order in time.")
        return None
