"""Compares the entries of one comparison: intervals, ranks, and tests against the control."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from distillkit.bench.leaderboard._entry import LeaderboardEntry, is_control
from distillkit.bench.leaderboard._rank_intervals import rank_intervals
from distillkit.bench.leaderboard._recovered_gap import RecoveredGap, recovered_gap
from distillkit.bench.leaderboard._stats import holm, student_p, student_quantile
from distillkit.bench.planning._cells import ANY_LABELS

if TYPE_CHECKING:
    from distillkit.bench.leaderboard._sampling import Sampler, Sampling

__all__ = ["CORRECTION", "SIGNIFICANCE_LEVEL", "ComparedEntries", "corrected"]

SIGNIFICANCE_LEVEL = 0.05
"""Corrected p-value below which a difference from the control is significant."""

CORRECTION = "Holm's method over all tests of the page"
"""The correction for multiple tests, in words."""

_RANGES: dict[str, tuple[float | None, float | None]] = {
    "accuracy": (0, 1),
    "balanced-accuracy": (0, 1),
    "macro-f1": (0, 1),
    "r2": (None, 1),
    "rmse": (0, None),
}
"""Ranges of the metrics whose specification states none."""


class ComparedEntries:
    """The entries of one dataset, evaluator, kind of labels and budget, compared with each other.

    Parameters
    ----------
    entries : sequence of LeaderboardEntry
    sampler : Sampler
        Makes the joint sample of the entries.
    """

    def __init__(self, entries: Sequence[LeaderboardEntry], sampler: Sampler) -> None:
        self.entries = list(entries)
        self.metric = entries[0].metric
        spec = sampler.metrics.get(self.metric)
        self.sign = -1 if spec is not None and spec.greater_is_better is False else 1
        stated = getattr(spec, "value_range", (None, None))
        self.value_range = stated if stated != (None, None) else _RANGES.get(self.metric, (None, None))
        self.control = next((entry for entry in entries if is_control(entry.cell)), None)
        self._sampler = sampler

    @cached_property
    def sampling(self) -> Sampling:
        """The joint sample of the entries, or the reason why there is none."""
        return self._sampler.sampling(self.entries)

    def pvalues(self) -> dict[int, float]:
        """Return the uncorrected p-value of each entry that is tested, by its position.

        Tested are complete entries whose method was not tuned on these test rows, against a
        complete control. On one test part, both need several seeds unless they involve no
        randomness, because the variance between seeds would not be known.
        """
        sample, control = self.sampling.sample, self.control
        if sample is None or control is None or not self._is_compared(control):
            return {}
        found = {}
        for place, entry in enumerate(self.entries):
            if entry is control or not self._is_compared(entry):
                continue
            estimate = sample.difference(entry.cell["method"], control.cell["method"])
            if estimate is not None:
                found[place] = student_p(estimate.value / estimate.error, estimate.dof)
        return found

    def _is_compared(self, entry: LeaderboardEntry) -> bool:
        """Return whether an entry is complete, may be ranked, and has a known standard error."""
        sample = self.sampling.sample
        complete = entry.ranked and entry.complete and bool(entry.scores)
        return complete and sample is not None and sample.comparable(entry.cell["method"])

    def records(self, pvalues: dict[int, float]) -> list[dict[str, Any]]:
        """Return the columns that depend on the comparison, one dict per entry.

        Parameters
        ----------
        pvalues : dict of int to float
            Corrected p-values by the position of the entry.
        """
        ranks, intervals = self._ranks(), self._rank_intervals()
        gaps = self._recovered_gaps()
        if any(gap.below_noise for gap in gaps.values()):
            ranks, intervals = {}, {}
        return [
            {
                "rank": ranks.get(place),
                "rank_low": intervals.get(place, (None, None))[0],
                "rank_high": intervals.get(place, (None, None))[1],
                "tied_with_best": intervals[place][0] == 1 if place in intervals else None,
                **self.interval(entry),
                **self._control_columns(entry, pvalues.get(place)),
                **self._gap_columns(gaps.get(place)),
            }
            for place, entry in enumerate(self.entries)
        ]

    def interval(self, entry: LeaderboardEntry) -> dict[str, Any]:
        """Return the 95 % interval of the mean, cut at the ends of the metric's range."""
        empty = {"ci_low": None, "ci_high": None, "interval_from": "", "note": ""}
        if not entry.scores:
            return empty
        sample = self.sampling.sample
        if sample is None:
            return empty | {"note": self.sampling.note}
        estimate = sample.mean(entry.cell["method"])
        if estimate is None:
            return empty | {"note": "no interval: a single split has a value"}
        half = student_quantile(1 - SIGNIFICANCE_LEVEL, estimate.dof) * estimate.error
        least, most = self.value_range
        return {
            "ci_low": estimate.value - half if least is None else max(least, estimate.value - half),
            "ci_high": estimate.value + half if most is None else min(most, estimate.value + half),
            "interval_from": sample.basis if sample.basis == "splits" else entry.crossed_basis(),
            "note": "",
        }

    def _ranks(self) -> dict[int, int]:
        """Return ranks by mean: complete entries first, and equal means share the better rank."""
        keys = {
            place: (not entry.complete, -self.sign * round(mean, 12))  # Rounding keeps ties of sums in another order.
            for place, entry in enumerate(self.entries)
            if entry.ranked and (mean := entry.mean()) is not None
        }
        return {place: 1 + sum(other < key for other in keys.values()) for place, key in keys.items()}

    def _rank_intervals(self) -> dict[int, tuple[int, int]]:
        sample = self.sampling.sample
        places = {entry.cell["method"]: place for place, entry in enumerate(self.entries) if self._is_compared(entry)}
        if sample is None or not places:
            return {}
        found = rank_intervals(sample, list(places), self.sign)
        return {places[method]: interval for method, interval in found.items()}

    def _recovered_gaps(self) -> dict[int, RecoveredGap]:
        """Return the share of the gap to the teacher that each student recovers, by its position.

        There is none without a control and exactly one teacher to compare with, on the same rows.
        """
        sample, control = self.sampling.sample, self.control
        teachers = [entry for entry in self.entries if entry.reference and entry.complete and entry.scores]
        if control is None or control.cell["label_mode"] != ANY_LABELS or len(teachers) != 1:
            return {}
        if sample is None or not (control.complete and control.scores):
            return {}
        teacher = teachers[0].cell["method"]
        found = {}
        for place, entry in enumerate(self.entries):
            if entry is control or entry.reference or not (entry.complete and entry.scores):
                continue
            gap = recovered_gap(sample, entry.cell["method"], control.cell["method"], teacher, self.sign)
            if gap is not None:
                found[place] = gap
        return found

    @staticmethod
    def _gap_columns(gap: RecoveredGap | None) -> dict[str, Any]:
        gap = RecoveredGap() if gap is None else gap
        columns: dict[str, Any] = {"gap_recovered": gap.share, "gap_low": gap.low, "gap_high": gap.high}
        if gap.below_noise:
            columns["note"] = "no rank: the teacher is not better than the student alone by more than noise"
        return columns

    def _control_columns(self, entry: LeaderboardEntry, p: float | None) -> dict[str, Any]:
        """Return the columns that compare an entry with the control."""
        empty = {"p_vs_random": None, "vs_random": "", "better_than_random": None}
        if self.control is None or entry is self.control or entry.reference:
            return empty
        if p is None:
            return {**empty, "vs_random": "not tested"}
        mean, control = entry.mean(), self.control.mean()
        assert mean is not None
        assert control is not None
        verdict = "no difference"
        if p < SIGNIFICANCE_LEVEL:
            verdict = "better" if self.sign * (mean - control) > 0 else "worse"
        return {"p_vs_random": p, "vs_random": verdict, "better_than_random": verdict == "better"}


def corrected(comparisons: Sequence[ComparedEntries]) -> list[dict[int, float]]:
    """Return the p-values of all comparisons of a page, corrected together."""
    raw = [comparison.pvalues() for comparison in comparisons]
    flat = iter(holm([p for tests in raw for p in tests.values()]))
    return [{place: next(flat) for place in tests} for tests in raw]
