"""Average ranks over several comparisons, and whether they tell methods apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from distillkit.bench.leaderboard._compare import LEVEL
from distillkit.bench.leaderboard._stats import mean_ranks, nemenyi_cd
from distillkit.bench.planning._cells import ANY_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distillkit.bench.leaderboard._entry import LeaderboardEntry

__all__ = ["MIN_DATASETS", "Overall", "overall_ranks"]

MIN_DATASETS = 6
"""Datasets below which no verdict is given: with five, not even a two-sided signed-rank test can reach p < .05."""

_Entry = tuple[str, dict[str, float], list[str]]  # dataset, scores of the complete methods, all methods
COLUMNS = ["method", "average_rank", "dataset_rank", "firsts", "within_cd"]


@dataclass
class Overall:
    """Average ranks of the methods that are complete in every comparison of one task and kind of labels.

    Parameters
    ----------
    task, label_mode : str
        Hard and soft labels are never mixed, and the tasks have different methods.
    table : DataFrame
        Columns ``method``, ``average_rank`` (mean over comparisons, ties sharing the mean of their places),
        ``dataset_rank`` (mean over datasets of the rank of the dataset's average: what the test is made on),
        ``firsts`` (comparisons won, shared ones included), ``within_cd`` (not told apart from the best;
        None without a test). Best first.
    n_comparisons, n_datasets : int
    left_out : dict of str to int
        Methods not complete everywhere, with the comparisons that have them complete.
    friedman_p : float or None
        Of the test that all methods rank alike over datasets.
    critical_difference : float or None
        Nemenyi's, of the dataset ranks, at 95 %.
    verdict : str
        The above in one sentence.
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
        """Say what the ranks are averaged over."""
        labels = {"hard": "", ANY_LABELS: ", students"}.get(self.label_mode, f", {self.label_mode} labels")
        sets = "1 dataset" if self.n_datasets == 1 else f"{self.n_datasets} datasets"
        return f"Average rank, {self.task}{labels}: {self.n_comparisons} comparisons on {sets}"


def overall_ranks(comparisons: Sequence[tuple[Sequence[LeaderboardEntry], int]]) -> list[Overall]:
    """Return average ranks, one `Overall` per task and kind of labels that has at least two comparisons.

    Parameters
    ----------
    comparisons : sequence of (lines, sign)
        As for `distillkit.bench.leaderboard._compare.compare`. References take no part.
    """
    kinds: dict[tuple[str, str], list[_Entry]] = {}
    for lines, sign in comparisons:
        ranked = [line for line in lines if not line.reference]
        if ranked:
            scores = {
                line.cell["method"]: sign * round(mean, 12)
                for line in ranked
                if line.complete and (mean := line.mean()) is not None
            }
            cell = ranked[0].cell
            entry = (cell["dataset"], scores, [line.cell["method"] for line in ranked])
            kinds.setdefault((cell["task"], cell["label_mode"]), []).append(entry)
    return [_overall(*kind, entries) for kind, entries in kinds.items() if len(entries) >= 2]


def _overall(task: str, label_mode: str, entries: list[_Entry]) -> Overall:
    methods = list(dict.fromkeys(name for _, _, names in entries for name in names))
    present = {name: sum(name in scores for _, scores, _ in entries) for name in methods}
    kept = [name for name in methods if present[name] == len(entries)]
    datasets = list(dict.fromkeys(name for name, _, _ in entries))
    left_out = {name: count for name, count in present.items() if count < len(entries)}
    result = Overall(task, label_mode, pd.DataFrame(columns=COLUMNS), len(entries), len(datasets), left_out)
    if len(kept) < 2:
        result.verdict = "Fewer than two methods are complete in every comparison, so there is no overall order."
        return result
    ranks = mean_ranks(np.array([[scores[name] for name in kept] for _, scores, _ in entries]))
    of_dataset = np.array([ranks[[name == dataset for name, _, _ in entries]].mean(axis=0) for dataset in datasets])
    dataset_ranks = mean_ranks(-of_dataset.round(12)).mean(axis=0)
    _judge(result, of_dataset, dataset_ranks)
    within = [None] * len(kept)
    if result.critical_difference is not None:
        within = list(dataset_ranks - dataset_ranks.min() < result.critical_difference)
    columns = [kept, ranks.mean(axis=0), dataset_ranks, (ranks == ranks.min(axis=1, keepdims=True)).sum(axis=0), within]
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))).astype({"within_cd": "boolean"})
    result.table = table.sort_values(["average_rank", "method"], ignore_index=True)
    return result


def _judge(result: Overall, of_dataset: np.ndarray, dataset_ranks: np.ndarray) -> None:
    """Test whether the methods rank alike, where there are datasets enough to say so."""
    n, k = of_dataset.shape
    if n < MIN_DATASETS:
        datasets = "1 dataset is" if n == 1 else f"{n} datasets are"
        result.verdict = f"Too few datasets for a verdict: {datasets} fewer than {MIN_DATASETS}. The average ranks describe these runs only."
        return
    if k < 3:
        result.verdict = "Too few methods for a verdict: the Friedman test needs three."
        return
    from scipy.stats import friedmanchisquare

    constant = bool((of_dataset == of_dataset[:, :1]).all())
    p = 1.0 if constant else float(friedmanchisquare(*of_dataset.round(12).T).pvalue)
    result.friedman_p = p
    if p >= LEVEL:
        result.verdict = f"The Friedman test does not tell the methods apart over {n} datasets (p = {p:.2g})."
        return
    result.critical_difference = nemenyi_cd(k, n)
    spread = float(dataset_ranks.max() - dataset_ranks.min())
    told = (
        "and the best and the last differ by more"
        if spread > result.critical_difference
        else "but no two methods differ by as much"
    )
    result.verdict = (
        f"The methods differ over {n} datasets (Friedman p = {p:.2g}); two are told apart where their dataset ranks differ by more "
        f"than {result.critical_difference:.2f} (Nemenyi, 95 %), {told}."
    )
