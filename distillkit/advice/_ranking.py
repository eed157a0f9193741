"""Judges candidates by all rules, and puts them in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._recommended import Recommended
from distillkit.advice._rule import Rule
from distillkit.advice._rule_verdict import RuleVerdict
from distillkit.advice._situation import Situation
from distillkit.advice.rules import RULES

__all__ = ["judge", "rank", "verdicts_of"]

_NEUTRAL = "No rule speaks for it or against it."


def verdicts_of(candidate: MethodCandidate, situation: Situation, rules: Iterable[Rule] = RULES) -> list[RuleVerdict]:
    """Return what the rules that apply to a situation say of a method, in their order."""
    return [
        verdict
        for rule in rules
        if rule.applies(situation) and (verdict := rule.judge(candidate, situation)) is not None
    ]


def judge(
    candidate: MethodCandidate,
    situation: Situation,
    *,
    rules: Iterable[Rule] = RULES,
    params: Mapping[str, Any] | None = None,
) -> Recommended:
    """Return a method with the points and reasons of all rules that apply.

    Parameters
    ----------
    candidate : MethodCandidate
    situation : Situation
    rules : iterable of Rule
    params : mapping or None
        Parameters that a suite sets.
    """
    verdicts = verdicts_of(candidate, situation, rules)
    reasons = [verdict.reason for verdict in sorted(verdicts, key=lambda one: -abs(one.points))]
    excluding = [verdict for verdict in verdicts if verdict.excludes]
    return Recommended(
        name=candidate.name,
        kind=candidate.kind,
        points=sum(verdict.points for verdict in verdicts),
        reasons=tuple([verdict.reason for verdict in excluding] or reasons or [_NEUTRAL]),
        estimate=candidate.estimate,
        params=dict(params or {}),
        excluded=bool(excluding),
    )


def rank(judged: Iterable[Recommended]) -> list[Recommended]:
    """Return the methods in order of points; of equal ones, the faster comes first."""

    def place(one: Recommended) -> tuple[float, float, str]:
        return -one.points, one.estimate.seconds if one.estimate else float("inf"), one.name

    return sorted(judged, key=place)
