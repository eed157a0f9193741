"""The outcome of a leaderboard in a sentence or two, which is honest about ties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData, Overall, Panel
from distillkit.bench.reporters._format import budget_title

__all__ = ["headlines"]

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MOST_NAMES = 4
_ENOUGH = 0.9
"""The sentence names the smallest set that keeps this share of the score of the whole set."""


def headlines(leaderboard: LeaderboardData) -> list[str]:
    """Return who is first and what a small set keeps, for each task and kind of labels.

    Parameters
    ----------
    leaderboard : LeaderboardData

    Returns
    -------
    list of str
        One text for each task and kind of labels that has a mean, in the order of the table.

    Notes
    -----
    Six datasets or more are judged by the Friedman and Nemenyi tests of `Overall`. Otherwise, those
    methods are named that are first, or tied with the first, in the most comparisons: a method is
    tied if the 95 % interval of its rank includes the first place. The share of the whole set's
    score is that of the best of the named methods.
    """
    groups: dict[tuple[str, str], list[Panel]] = {}
    for panel in leaderboard.panels():
        groups.setdefault((panel.task, panel.label_mode), []).append(panel)
    overall = {(one.task, one.label_mode): one for one in leaderboard.overall}
    texts = [
        _ComparedPanels(panels, overall.get(kind)).text(several=len(groups) > 1) for kind, panels in groups.items()
    ]
    return [text for text in texts if text]


@dataclass(frozen=True)
class _Comparison:
    """The ranked entries of one panel at one budget, by method."""

    panel: Panel
    budget: str
    entries: dict[str, dict[str, Any]]

    @property
    def first(self) -> list[str]:
        """The methods that are tied with the best, or the best by mean where nothing is tested."""
        tied = [name for name, entry in self.entries.items() if entry["tied_with_best"]]
        return tied or [name for name, entry in self.entries.items() if entry["rank"] == 1]

    @property
    def tested(self) -> bool:
        """Whether ranks have intervals."""
        return any(entry["rank_low"] is not None for entry in self.entries.values())


class _ComparedPanels:
    """The comparisons of one task and one kind of labels."""

    def __init__(self, panels: Sequence[Panel], overall: Overall | None) -> None:
        self.panels, self.overall = panels, overall
        self.comparisons = [one for panel in panels for one in _comparisons(panel)]

    def text(self, *, several: bool) -> str:
        """Return the sentences; empty if no method has a mean."""
        if not self.comparisons:
            return ""
        winners, verdict = self._winners()
        where = self._what() if several else ""
        said = " ".join(filter(None, (f"{where}{verdict}", self._against_random(winners[0]), self._kept(winners))))
        return said[0].upper() + said[1:] if where else said

    def _what(self) -> str:
        labels = {"hard": "", "soft": ", soft labels", "any": ", students"}[self.panels[0].label_mode]
        return f"{self.panels[0].task}{labels}: "

    def _winners(self) -> tuple[list[str], str]:
        """Return the methods to name, the best first, and the sentence that names them."""
        overall = self.overall
        if overall is not None and overall.friedman_p is not None:
            names = [str(name) for name in overall.table["method"]]
            datasets = f"{_number(overall.n_datasets)} datasets"
            if overall.critical_difference is None:
                least = f"no method is significantly better than another over {datasets}"
                return names, f"{least}; {names[0]} has the best average rank."
            within = [str(name) for name in overall.table.loc[overall.table["within_cd"].fillna(value=False), "method"]]
            if len(within) == 1:
                return within, f"{within[0]} is first over {datasets}, and no other method ties with it."
            return within, f"{_names(within)} tie for first over {datasets}."
        counts: dict[str, int] = {}
        for comparison in self.comparisons:
            for name in comparison.first:
                counts[name] = counts.get(name, 0) + 1
        most = max(counts.values(), default=0)
        winners = [name for name in self._by_rank() if counts.get(name) == most]
        return winners or self._by_rank()[:1], self._counted(winners or self._by_rank()[:1], most)

    def _by_rank(self) -> list[str]:
        """Return the methods in the order of their average places."""
        places: dict[str, list[int]] = {}
        for comparison in self.comparisons:
            for name, entry in comparison.entries.items():
                places.setdefault(name, []).append(entry["rank"])
        return sorted(places, key=lambda name: (sum(places[name]) / len(places[name]), name))

    def _counted(self, winners: list[str], most: int) -> str:
        total = len(self.comparisons)
        if not any(comparison.tested for comparison in self.comparisons):
            least = f"{_names(winners)} {'has' if len(winners) == 1 else 'have'} the best mean"
            where = "" if total == 1 else f" in {_share(most, total)} comparisons"
            return f"{least}{where}, but there are too few repetitions to tell methods apart."
        if total == 1:
            others = len(self.comparisons[0].entries)
            if len(winners) == 1:
                return f"{winners[0]} is first among {_number(others)} methods, and no other method ties with it."
            return f"{_names(winners)} tie for first among {_number(others)} methods."
        verb = "is" if len(winners) == 1 else "are each"
        more = "" if most == total else ", more often than any other method"
        return f"{_names(winners)} {verb} first or tied for first in {_share(most, total)} comparisons{more}."

    def _against_random(self, name: str) -> str:
        """Say in how many comparisons the leader is significantly better than the control."""
        verdicts = [one.entries[name]["vs_random"] for one in self.comparisons if name in one.entries]
        tested = [verdict for verdict in verdicts if verdict in ("better", "worse", "no difference")]
        if not tested:
            return ""
        better = tested.count("better")
        control = "student alone" if self.panels[0].of_students else "random subset"
        if len(tested) == 1:
            said = "is significantly better than" if better else "is not significantly better than"
            return f"{name} {said} the {control}."
        return f"{name} is significantly better than the {control} in {_share(better, len(tested))} comparisons."

    def _kept(self, winners: Sequence[str]) -> str:
        """Say how much of the score of the whole set the best small set keeps."""
        if self.panels[0].of_students:
            return ""
        found = [_Kept.of(one, name) for one in self.comparisons for name in one.first if name in winners]
        kept = [one for one in found if one is not None]
        if not kept:
            return ""
        if len({one.dataset for one in kept}) > 1:
            return _over_datasets(kept)
        enough = [one for one in kept if one.share >= _ENOUGH]
        chosen = min(enough, key=lambda one: (one.rows, -one.share)) if enough else max(kept, key=lambda one: one.share)
        return chosen.sentence()


@dataclass(frozen=True)
class _Kept:
    """The score of a small set as a share of that of the whole set."""

    dataset: str
    evaluator: str
    method: str
    metric: str
    budget: str
    title: str
    rows: int
    total: int
    share: float

    @staticmethod
    def of(comparison: _Comparison, method: str) -> _Kept | None:
        """Return the share of a method; None without a whole set, or where a share says nothing."""
        panel, entry = comparison.panel, comparison.entries[method]
        whole = next((one for name in panel.references if (one := panel.get(name, "-")) and _is_whole(one)), None)
        if whole is None or not panel.greater_is_better or entry["rows"] is None:
            return None
        if whole["mean"] is None or whole["mean"] <= 0 or entry["mean"] < 0:
            return None
        rows, total = round(entry["rows"]), round(whole["rows"])
        title = budget_title(panel, comparison.budget)
        share = entry["mean"] / whole["mean"]
        return _Kept(panel.dataset, panel.evaluator, method, panel.metric, comparison.budget, title, rows, total, share)

    def sentence(self) -> str:
        """Return the share as a sentence."""
        if self.share >= 0.995:
            kept = f"reach the whole set's {self.metric}"
        else:
            kept = f"keep {100 * self.share:.0f} % of the whole set's {self.metric}"
        verb = kept if self.rows != 1 else kept.replace("reach", "reaches").replace("keep", "keeps")
        rows = _number(self.rows)
        return f"{rows[0].upper()}{rows[1:]} of {self.total:,} rows {verb} ({self.method}, {self.evaluator})."


def _over_datasets(kept: Sequence[_Kept]) -> str:
    """Say what sets keep over several datasets, at the largest budget that most of them share."""
    by_budget: dict[str, dict[str, float]] = {}
    for one in kept:
        by_dataset = by_budget.setdefault(one.title, {})
        by_dataset[one.dataset] = max(one.share, by_dataset.get(one.dataset, 0.0))
    most = max(map(len, by_budget.values()))
    title = [name for name, by_dataset in by_budget.items() if len(by_dataset) == most][-1]
    shares = sorted(by_budget[title].values())
    metric = " or ".join(dict.fromkeys(one.metric for one in kept if one.title == title))
    if len(shares) == 1:
        return (
            f"At a budget of {title}, the best of these sets keeps {100 * shares[0]:.0f} % of the whole set's {metric}."
        )
    return (
        f"At a budget of {title}, the best of these sets keep {100 * shares[0]:.0f} to {100 * shares[-1]:.0f} % "
        f"of the whole set's {metric} on {_number(len(shares))} datasets (median {100 * median(shares):.0f} %)."
    )


def _comparisons(panel: Panel) -> Iterator[_Comparison]:
    for budget in panel.budgets or ["-"]:
        entries = {name: panel.get(name, budget) for name in panel.methods}
        ranked = {
            name: entry
            for name, entry in entries.items()
            if entry is not None and entry["mean"] is not None and entry["rank"] is not None
        }
        if ranked:
            yield _Comparison(panel, budget, ranked)


def _is_whole(entry: dict[str, Any]) -> bool:
    compression = entry["compression-rows"]
    return entry["rows"] is not None and compression is not None and abs(compression - 1) < 1e-9


def _number(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else f"{count:,}"


def _share(part: int, total: int) -> str:
    return f"all {_number(total)}" if part == total else f"{_number(part)} of {_number(total)}"


def _names(names: Sequence[str]) -> str:
    """Return names in a list with "and"; beyond four, the others are counted."""
    shown = (
        [*names] if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} others"]
    )
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
