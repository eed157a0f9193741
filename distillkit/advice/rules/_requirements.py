"""What a method needs must be there."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Requirements"]


class Requirements(Rule):
    """A method must be installed and made for the task and the kind of data."""

    def applies(self, situation: Situation) -> bool:
        return True

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if missing := candidate.spec.missing():
            return RuleVerdict.exclusion(f"It needs {', '.join(missing)}, which is not installed.")
        if situation.task not in candidate.spec.tasks:
            return RuleVerdict.exclusion(f"It does not work for {situation.task}.")
        if situation.modality not in candidate.spec.modalities:
            return RuleVerdict.exclusion(f"It does not work on {situation.modality} data.")
        return None
