"""Pictures are averaged badly and condensed well."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["ImageData"]


class ImageData(Rule):
    """Condensation was made for images; distances between pixels say little."""

    def applies(self, situation: Situation) -> bool:
        return situation.modality == "image"

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("images"):
            return RuleVerdict(2, "It is made for images.")
        if candidate.suits("coverage"):
            return RuleVerdict(-1, "Distances between pixels say little, unless feature_space is given.")
        return None
