"""Of methods alike, the faster one comes first."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Slowness"]


class Slowness(Rule):
    """A method should not take longer than the training that it saves."""

    def applies(self, situation: Situation) -> bool:
        return True

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.estimate is None or candidate.estimate.seconds <= max(60.0, 10 * situation.seconds_all):
            return None
        if situation.compute:
            return None
        return RuleVerdict(-1, f"It takes longer than training on all rows, about {situation.seconds_all:.2g} seconds.")
