"""Each class must be learned from few rows."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["ManyClasses"]


class ManyClasses(Rule):
    """With many classes, methods that work on each class apart keep their quality and cost."""

    def applies(self, situation: Situation) -> bool:
        return situation.n_classes >= 20

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.kind == "coreset":
            return RuleVerdict(1, f"It works on each of the {situation.n_classes} classes apart.")
        if candidate.needs_networks:
            return RuleVerdict(-1, f"Its cost grows with the {situation.n_classes} classes.")
        return None
