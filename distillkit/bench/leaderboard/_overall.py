"""Averages ranks over several comparisons and tests whether the methods differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from distillkit.bench.leaderboard._compare import SIGNIFICANCE_LEVEL
from distillkit.bench.leaderboard._stats import mean_ranks, nemenyi_cd
from distillkit.bench.planning._cells import ANY_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distillkit.bench.leaderboard._entry import LeaderboardEntry

__all__ = ["MIN_DATASETS", "Overall", "overall_ranks"]

MIN_DATASETS = 6
"""Fewest datasets for a test; with five, a two-sided signed-rank test cannot reach p < 0.05."""

# Dataset, scores of the complete methods, names of all methods.
_ComparisonScores = tuple[str, dict[str, float], list[str]]
COLUMNS = ["method", "average_rank", "dataset_rank", "firsts", "within_cd"]


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
        based; ``firsts``, the number of comparisons won, including shared first places; and
        ``within_cd``, whether the difference from the best method is below the critical difference
        (missing without a test).
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

    @property
    def title(self) -> str:
        """Heading that says what the ranks are averaged over."""
        labels = {"hard": "", ANY_LABELS: ", students"}.get(self.label_mode, f", {self.label_mode} labels")
        sets = "1 dataset" if self.n_datasets == 1 else f"{self.n_datasets} datasets"
        return f"Average rank, {self.task}{labels}: {self.n_comparisons} comparisons on {sets}"


def overall_ranks(comparisons: Sequence[tuple[Sequence[LeaderboardEntry], int]]) -> list[Overall]:
    """Return average ranks for each task and kind of labels with at least two comparisons.

    Parameters
    ----------
    comparisons : sequence of (entries, sign)
        As for `distillkit.bench.leaderboard._compare.compare`. References are left out.
    """
    kinds: dict[tuple[str, str], list[_ComparisonScores]] = {}
    for entries, sign in comparisons:
        ranked = [entry for entry in entries if not entry.reference]
        if ranked:
            scores = {
                entry.cell["method"]: sign * round(mean, 12)
                for entry in ranked
                if entry.complete and (mean := entry.mean()) is not None
            }
            cell = ranked[0].cell
            comparison = (cell["dataset"], scores, [entry.cell["method"] for entry in ranked])
            kinds.setdefault((cell["task"], cell["label_mode"]), []).append(comparison)
    return [_overall(*kind, group) for kind, group in kinds.items() if len(group) >= 2]


def _overall(task: str, label_mode: str, comparisons: list[_ComparisonScores]) -> Overall:
    # 1. Keep the methods that are complete in every comparison.
    methods = list(dict.fromkeys(name for _, _, names in comparisons for name in names))
    n_complete = {name: sum(name in scores for _, scores, _ in comparisons) for name in methods}
    complete = [name for name in methods if n_complete[name] == len(comparisons)]
    datasets = list(dict.fromkeys(name for name, _, _ in comparisons))
    left_out = {name: count for name, count in n_complete.items() if count < len(comparisons)}
    result = Overall(task, label_mode, pd.DataFrame(columns=COLUMNS), len(comparisons), len(datasets), left_out)
    if len(complete) < 2:
        result.verdict = "Fewer than two methods are complete in every comparison, so there is no overall order."
        return result
    # 2. Rank within each comparison, and again by the mean rank within each dataset, because the
    #    comparisons of one dataset are not independent.
    ranks = mean_ranks(np.array([[scores[name] for name in complete] for _, scores, _ in comparisons]))
    dataset_scores = np.array(
        [ranks[[name == dataset for name, _, _ in comparisons]].mean(axis=0) for dataset in datasets]
    )
    dataset_ranks = mean_ranks(-dataset_scores.round(12)).mean(axis=0)
    # 3. Test for differences, and mark the methods within the critical difference of the best.
    _test_ranks(result, dataset_scores, dataset_ranks)
    within = [None] * len(complete)
    if result.critical_difference is not None:
        within = list(dataset_ranks - dataset_ranks.min() < result.critical_difference)
    firsts = (ranks == ranks.min(axis=1, keepdims=True)).sum(axis=0)
    columns = [complete, ranks.mean(axis=0), dataset_ranks, firsts, within]
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))).astype({"within_cd": "boolean"})
    result.table = table.sort_values(["average_rank", "method"], ignore_index=True)
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
