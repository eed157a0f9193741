"""Networks need more than some seconds."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["LittleTime"]


class LittleTime(Rule):
    """Condensers and generators of networks need minutes."""

    def applies(self, situation: Situation) -> bool:
        return situation.seconds is not None and situation.seconds < 30

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.needs_networks:
            return RuleVerdict(-4, f"Networks need more than {situation.seconds:g} seconds.")
        if candidate.suits("many-rows") or candidate.suits("first-try"):
            return RuleVerdict(0.5, "It needs little time.")
        return None
