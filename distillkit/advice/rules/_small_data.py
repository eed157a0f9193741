"""Few rows are not worth an expensive method."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["SmallData"]


class SmallData(Rule):
    """With few rows, training on all of them is cheap, and generators have little to learn from."""

    def applies(self, situation: Situation) -> bool:
        return situation.small

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.makes_rows or candidate.needs_networks:
            return RuleVerdict(-3, f"There are only {situation.n_rows} rows, too few to learn from.")
        if candidate.kind == "control" or candidate.suits("first-try"):
            return RuleVerdict(2, f"There are only {situation.n_rows} rows, so that a simple method is enough.")
        return None
