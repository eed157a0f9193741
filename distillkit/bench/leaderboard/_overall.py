"""Averages ranks over several comparisons and tests whether the methods differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from distillkit.bench.leaderboard._compare import SIGNIFICANCE_LEVEL
from distillkit.bench.leaderboard._entry import COMPARISON_KEY
from distillkit.bench.leaderboard._over_datasets import bootstrap_over, recoveries, win_rates
from distillkit.bench.leaderboard._stats import mean_ranks, nemenyi_cd
from distillkit.bench.planning._cells import ANY_LABELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distillkit.bench.leaderboard._compare import ComparedEntries

__all__ = ["MIN_DATASETS", "Overall", "overall_ranks"]

MIN_DATASETS = 6
"""Fewest datasets for a test; with five, a two-sided signed-rank test cannot reach p < 0.05."""

COLUMNS = [
    "method", "average_rank", "dataset_rank", "firsts", "within_cd",
    "win_rate", "win_rate_low", "win_rate_high", "recovery", "recovery_low", "recovery_high",
]  # fmt: skip


@dataclass
class Overall:
    """Average ranks of the methods of one task and kind of labels.

    Only methods that are complete in every comparison are included.

    Parameters
    ----------
    task, label_mode : str
        Task and kind of labels; ranks are not averaged over several of these.
    table : DataFrame
        One row per method, the best first. The columns are ``method``; ``average_rank``, the mean
        rank over the comparisons, where tied methods share the mean of their ranks;
        ``dataset_rank``, the mean over datasets of the rank within a dataset, on which the test is
        based; ``firsts``, the number of comparisons won, including shared first places;
        ``within_cd``, whether the difference from the best method is below the critical difference
        (missing without a test); ``win_rate``, the mean share of comparisons in which the method is
        better than another one; and ``recovery``, the mean share of the gap between the control and
        the whole set that it closes. The last two have the ends of a 95 % interval from a bootstrap
        over datasets, which are missing for fewer than `MIN_DATASETS` of them.
    n_comparisons, n_datasets : int
        Number of comparisons and of datasets in them.
    left_out : dict of str to int
        Methods that are not complete in every comparison, with the number of comparisons in which
        they are.
    friedman_p : float or None
        p-value of the Friedman test that all methods rank alike over the datasets.
    critical_difference : float or None
        Critical difference of the dataset ranks by the Nemenyi test at the 95 % level.
    verdict : str
        The outcome of the tests in words.
    wins : DataFrame
        Share of the comparisons in which the method of the row is better than that of the column,
        averaged over datasets; ties count one half.
    """

    task: str
    label_mode: str
    table: pd.DataFrame
    n_comparisons: int
    n_datasets: int
    left_out: dict[str, int] = field(default_factory=dict)
    friedman_p: float | None = None
    critical_difference: float | None = None
    verdict: str = ""
    wins: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def title(self) -> str:
        """Heading that says what the ranks are averaged over."""
        labels = {"hard": "", ANY_LABELS: ", students"}.get(self.label_mode, f", {self.label_mode} labels")
        sets = "1 dataset" if self.n_datasets == 1 else f"{self.n_datasets} datasets"
        return f"Average rank, {self.task}{labels}: {self.n_comparisons} comparisons on {sets}"


def overall_ranks(comparisons: Sequence[ComparedEntries]) -> list[Overall]:
    """Return average ranks for each task and kind of labels with at least two comparisons.

    Parameters
    ----------
    comparisons : sequence of ComparedEntries
        References, and methods tuned on the test rows of a dataset, are left out.
    """
    whole = {key: mean for comparison in comparisons for key, mean in _whole_means(comparison)}
    kinds: dict[tuple[str, str], list[ComparedEntries]] = {}
    for comparison in comparisons:
        if any(entry.ranked for entry in comparison.entries):
            cell = comparison.entries[0].cell
            kinds.setdefault((cell["task"], cell["label_mode"]), []).append(comparison)
    return [_overall(*kind, group, whole) for kind, group in kinds.items() if len(group) >= 2]


def _key(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(cell[name] for name in COMPARISON_KEY)


def _whole_means(comparison: ComparedEntries) -> list[tuple[tuple[Any, ...], float]]:
    """Return the mean of the whole set (for students the teacher) by the fields of a comparison."""
    means = [(_key(entry.cell), entry.mean()) for entry in comparison.entries if entry.is_whole]
    return [(key, mean) for key, mean in means if mean is not None]


def _scores(comparison: ComparedEntries) -> dict[str, float]:
    """Return the means of the complete methods, where greater is better."""
    means = {entry.cell["method"]: entry.mean() for entry in comparison.entries if entry.ranked and entry.complete}
    # Rounding keeps ties of sums in another order.
    return {method: comparison.sign * round(mean, 12) for method, mean in means.items() if mean is not None}


def _overall(
    task: str, label_mode: str, comparisons: list[ComparedEntries], whole: Mapping[tuple[Any, ...], float]
) -> Overall:
    # 1. Keep the methods that are complete in every comparison.
    scores = [_scores(comparison) for comparison in comparisons]
    ranked = [entry.cell["method"] for comparison in comparisons for entry in comparison.entries if entry.ranked]
    n_complete = {name: sum(name in one for one in scores) for name in dict.fromkeys(ranked)}
    complete = [name for name, count in n_complete.items() if count == len(comparisons)]
    places = [comparison.entries[0].cell["dataset"] for comparison in comparisons]
    datasets = list(dict.fromkeys(places))
    left_out = {name: count for name, count in n_complete.items() if count < len(comparisons)}
    result = Overall(task, label_mode, pd.DataFrame(columns=COLUMNS), len(comparisons), len(datasets), left_out)
    if len(complete) < 2:
        result.verdict = "Fewer than two methods are complete in every comparison, so there is no overall order."
        return result
    # 2. Rank within each comparison, and again by the mean rank within each dataset, because the
    #    comparisons of one dataset are not independent.
    table = np.array([[one[name] for name in complete] for one in scores])
    by_dataset = [np.array([name == dataset for name in places]) for dataset in datasets]
    ranks = mean_ranks(table)
    dataset_scores = np.array([ranks[rows].mean(axis=0) for rows in by_dataset])
    dataset_ranks = mean_ranks(-dataset_scores.round(12)).mean(axis=0)
    # 3. Test for differences, and mark the methods within the critical difference of the best.
    _test_ranks(result, dataset_scores, dataset_ranks)
    within = [None] * len(complete)
    if result.critical_difference is not None:
        within = list(dataset_ranks - dataset_ranks.min() < result.critical_difference)
    firsts = (ranks == ranks.min(axis=1, keepdims=True)).sum(axis=0)
    # 4. Compare by pairs of methods, and with the control and the whole set.
    wins = win_rates([table[rows] for rows in by_dataset])
    k = len(complete)
    against_others = (wins.sum(axis=2) - 0.5) / (k - 1)  # each method ties with itself
    recovered = recoveries(comparisons, lambda comparison: whole.get(_key(comparison.entries[0].cell)), complete)
    spreads = [bootstrap_over(values, MIN_DATASETS) for values in (against_others, recovered)]
    columns = [complete, ranks.mean(axis=0), dataset_ranks, firsts, within]
    for spread in spreads:
        columns += [[getattr(one, name) for one in spread] for name in ("value", "low", "high")]
    frame = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    frame = frame.astype({"within_cd": "boolean", **dict.fromkeys(COLUMNS[5:], float)})
    result.table = frame.sort_values(["average_rank", "method"], ignore_index=True)
    order = list(result.table["method"])
    result.wins = pd.DataFrame(wins.mean(axis=0), index=complete, columns=complete).loc[order, order]
    return result


def _test_ranks(result: Overall, dataset_scores: np.ndarray, dataset_ranks: np.ndarray) -> None:
    """Test whether the methods rank alike, and write p-value, critical difference and verdict.

    Parameters
    ----------
    result : Overall
        Where the outcome is written.
    dataset_scores : ndarray of shape (n_datasets, n_methods)
        Mean ranks within each dataset.
    dataset_ranks : ndarray of shape (n_methods,)
        Mean over datasets of the ranks of these.
    """
    n, k = dataset_scores.shape
    if n < MIN_DATASETS:
        datasets = "1 dataset is" if n == 1 else f"{n} datasets are"
        result.verdict = (
            f"Too few datasets for a verdict: {datasets} fewer than {MIN_DATASETS}. "
            "The average ranks describe these runs only."
        )
        return
    if k < 3:
        result.verdict = "Too few methods for a verdict: the Friedman test needs three."
        return
    from scipy.stats import friedmanchisquare

    constant = bool((dataset_scores == dataset_scores[:, :1]).all())
    p = 1.0 if constant else float(friedmanchisquare(*dataset_scores.round(12).T).pvalue)
    result.friedman_p = p
    if p >= SIGNIFICANCE_LEVEL:
        result.verdict = (
            f"The Friedman test does not tell the methods apart over {n} datasets: "
            f"there is no significant difference (p = {p:.2g})."
        )
        return
    result.critical_difference = nemenyi_cd(k, n)
    spread = float(dataset_ranks.max() - dataset_ranks.min())
    extremes = (
        "and the best and the last method differ by more"
        if spread > result.critical_difference
        else "but no two methods differ by as much"
    )
    result.verdict = (
        f"The methods differ significantly over {n} datasets (Friedman test, p = {p:.2g}). Two methods differ "
        f"significantly if their dataset ranks differ by more than {result.critical_difference:.2f} "
        f"(Nemenyi test, 95 %), {extremes}."
    )
