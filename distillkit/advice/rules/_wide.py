"""Distances say little in many columns."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["Wide"]


class Wide(Rule):
    """With many columns and few rows, averages help; neighbors and models do not."""

    def applies(self, situation: Situation) -> bool:
        return situation.wide

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("first-try"):
            return RuleVerdict(1, "Averages reduce the noise of many columns.")
        if candidate.suits("coverage"):
            return RuleVerdict(-2, f"Distances say little in {situation.n_features} columns.")
        if candidate.makes_rows:
            return RuleVerdict(-3, f"There are too few rows to model {situation.n_features} columns.")
        return None
