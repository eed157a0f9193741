"""Compare the lines of one dataset, evaluator, kind of labels and budget: ranks, and tests against the random subset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillkit.bench.leaderboard._entry import LeaderboardEntry, is_control
from distillkit.bench.leaderboard._stats import holm, paired_test

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LEVEL", "compare"]

LEVEL = 0.05
"""Corrected p-value under which a difference from the random subset is called significant."""


def compare(lines: Sequence[LeaderboardEntry], sign: int) -> list[dict[str, Any]]:
    """Return the columns that depend on the other lines, one dict per line, in the same order.

    Parameters
    ----------
    lines : sequence of Line
        All lines of one comparison.
    sign : {1, -1}
        1 where a greater value of the deciding metric is better.
    """
    ranks = _ranks(lines, sign)
    control = next((line for line in lines if is_control(line.cell)), None)
    tests = _tests(lines, control)
    return [{"rank": ranks.get(id(line)), **_against(line, control, tests.get(id(line)), sign)} for line in lines]


def _ranks(lines: Sequence[LeaderboardEntry], sign: int) -> dict[int, int]:
    """Rank complete lines first, then those with missing cells; equal means share the best place of theirs."""
    keys = {id(line): _rank_key(line, sign) for line in lines if not line.reference and line.mean() is not None}
    return {line: 1 + sum(other < key for other in keys.values()) for line, key in keys.items()}


def _rank_key(line: LeaderboardEntry, sign: int) -> tuple[bool, float]:
    mean = line.mean()
    assert mean is not None
    return not line.complete, -sign * round(mean, 12)  # sums in another order must not break a tie


def _tests(lines: Sequence[LeaderboardEntry], control: LeaderboardEntry | None) -> dict[int, float]:
    """Return Holm-corrected p-values of the lines that share at least three distillation seeds with the control."""
    if control is None:
        return {}
    raw = {id(line): paired_test(*line.pairs(control)) for line in lines if line is not control and not line.reference}
    tested = {line: p for line, p in raw.items() if p is not None}
    return dict(zip(tested, holm(list(tested.values())), strict=True))


def _against(line: LeaderboardEntry, control: LeaderboardEntry | None, p: float | None, sign: int) -> dict[str, Any]:
    nothing = {"p_vs_random": None, "vs_random": "", "better_than_random": None, "separated": None}
    if control is None or line is control or line.reference:
        return nothing
    mine, theirs = line.record(), control.record()
    separated = None
    if mine["ci_low"] is not None and theirs["ci_low"] is not None:
        better_end, other_end = ("ci_low", "ci_high") if sign > 0 else ("ci_high", "ci_low")
        separated = sign * mine[better_end] > sign * theirs[other_end]
    if p is None:
        return {**nothing, "vs_random": "not tested", "separated": separated}
    pairs = line.pairs(control)
    gain = sign * (sum(pairs[0]) - sum(pairs[1]))
    verdict = "no difference" if p >= LEVEL else ("better" if gain > 0 else "worse")
    return {"p_vs_random": p, "vs_random": verdict, "better_than_random": verdict == "better", "separated": separated}
