"""Where random rows lose nothing, nothing else is worth its time."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["HomogeneousData"]


class HomogeneousData(Rule):
    """A method can win back no more than what a random subset loses."""

    def applies(self, situation: Situation) -> bool:
        return situation.homogeneous

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.kind == "control":
            return RuleVerdict(4, f"Random rows lose only {max(situation.loss, 0):.3f} against all rows.")
        if not candidate.suits("first-try"):
            return RuleVerdict(
                -1, f"Random rows lose only {max(situation.loss, 0):.3f}, so that there is little to win."
            )
        return None
