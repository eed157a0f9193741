"""Millions of rows are read few times."""

from __future__ import annotations

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation

__all__ = ["ManyRows"]


class ManyRows(Rule):
    """Sampling reads the rows once or twice."""

    def applies(self, situation: Situation) -> bool:
        return situation.n_rows >= 1_000_000

    def judge(self, candidate: MethodCandidate, situation: Situation) -> RuleVerdict | None:
        if candidate.suits("many-rows"):
            return RuleVerdict(2, f"It reads the {situation.n_rows} rows only once or twice.")
        return None
