"""Compares the entries of one comparison: ranks, and significance tests against the control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillkit.bench.leaderboard._entry import LeaderboardEntry, is_control
from distillkit.bench.leaderboard._stats import holm, paired_test

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SIGNIFICANCE_LEVEL", "compare"]

SIGNIFICANCE_LEVEL = 0.05
"""Corrected p-value below which a difference from the control is significant."""


def compare(entries: Sequence[LeaderboardEntry], sign: int) -> list[dict[str, Any]]:
    """Return the columns that depend on the other entries, one dict per entry, in the same order.

    Parameters
    ----------
    entries : sequence of LeaderboardEntry
        All entries of one comparison, that is of one dataset, evaluator, kind of labels and budget.
    sign : {1, -1}
        1 if a greater value of the primary metric is better, otherwise -1.
    """
    ranks = _ranks(entries, sign)
    control = next((entry for entry in entries if is_control(entry.cell)), None)
    tests = _tests(entries, control)
    return [
        {"rank": ranks.get(id(entry)), **_control_columns(entry, control, tests.get(id(entry)), sign)}
        for entry in entries
    ]


def _ranks(entries: Sequence[LeaderboardEntry], sign: int) -> dict[int, int]:
    """Return ranks by entry id: complete entries first, and equal means share the better rank."""
    keys = {id(entry): _rank_key(entry, sign) for entry in entries if not entry.reference and entry.mean() is not None}
    return {entry_id: 1 + sum(other < key for other in keys.values()) for entry_id, key in keys.items()}


def _rank_key(entry: LeaderboardEntry, sign: int) -> tuple[bool, float]:
    mean = entry.mean()
    assert mean is not None
    return not entry.complete, -sign * round(mean, 12)  # Rounding keeps ties despite the order of summation.


def _tests(entries: Sequence[LeaderboardEntry], control: LeaderboardEntry | None) -> dict[int, float]:
    """Return Holm-corrected p-values by entry id.

    Entries that share fewer than three distillation seeds with the control are not tested.
    """
    if control is None:
        return {}
    raw = {
        id(entry): paired_test(*entry.pairs(control))
        for entry in entries
        if entry is not control and not entry.reference
    }
    tested = {entry_id: p for entry_id, p in raw.items() if p is not None}
    return dict(zip(tested, holm(list(tested.values())), strict=True))


def _control_columns(
    entry: LeaderboardEntry, control: LeaderboardEntry | None, p: float | None, sign: int
) -> dict[str, Any]:
    """Return the columns that compare an entry with the control."""
    empty = {"p_vs_random": None, "vs_random": "", "better_than_random": None, "separated": None}
    if control is None or entry is control or entry.reference:
        return empty
    # 1. The intervals are separated if even the worse end of the entry's interval is better than
    #    the better end of the control's.
    record, control_record = entry.record(), control.record()
    separated = None
    if record["ci_low"] is not None and control_record["ci_low"] is not None:
        worse_end, better_end = ("ci_low", "ci_high") if sign > 0 else ("ci_high", "ci_low")
        separated = sign * record[worse_end] > sign * control_record[better_end]
    # 2. The test decides whether there is a difference, and the paired values in which direction.
    if p is None:
        return {**empty, "vs_random": "not tested", "separated": separated}
    pairs = entry.pairs(control)
    gain = sign * (sum(pairs[0]) - sum(pairs[1]))
    verdict = "no difference" if p >= SIGNIFICANCE_LEVEL else ("better" if gain > 0 else "worse")
    return {"p_vs_random": p, "vs_random": verdict, "better_than_random": verdict == "better", "separated": separated}
