"""A method must end within the seconds given."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["TimeLimit"]


class TimeLimit(Rule):
    """Methods that would take longer, and cannot be stopped at the limit, are excluded."""

    def applies(self, situation: Situation) -> bool:
        return situation.seconds is not None

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.estimate is None or candidate.time_bound or situation.seconds is None:
            return None
        if candidate.estimate.seconds > situation.seconds:
            return RuleVerdict.exclusion(
                f"It takes about {candidate.estimate.seconds:.2g} seconds, more than {situation.seconds:g}."
            )
        return None
