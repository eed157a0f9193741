"""Builds the leaderboard, with its failures and skipped cells, from the rows of finished cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from distillkit.bench.leaderboard._architectures import across_evaluators
from distillkit.bench.leaderboard._compare import ComparedEntries
from distillkit.bench.leaderboard._entry import COMPARISON_KEY, FAILED, LeaderboardEntry, finite
from distillkit.bench.leaderboard._notes import dataset_notes, interval_notes
from distillkit.bench.leaderboard._overall import Overall, overall_ranks
from distillkit.bench.leaderboard._panels import Panel, budget_order, make_panels
from distillkit.bench.leaderboard._published_matches import match_published
from distillkit.bench.leaderboard._sampling import Sampler
from distillkit.bench.leaderboard._table import COLUMNS, LEADING, TRAILING, make_table
from distillkit.bench.leaderboard._version_notes import version_notes
from distillkit.bench.planning._suite import DEFAULT_PRIMARY
from distillkit.bench.results._store import ResultsStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from distillkit.specs import MetricSpec, PublishedResult

__all__ = ["COLUMNS", "LeaderboardData", "Overall", "Panel", "build_leaderboard"]

_CELL = (*COMPARISON_KEY, "budget", "method", "split", "distil_seed", "eval_seed")
_FAILURE_COLUMNS = (*_CELL, "status", "phase", "error", "seconds", "key")
_SKIPPED_COLUMNS = (*COMPARISON_KEY, "budget", "method", "cells", "reason")


@dataclass
class LeaderboardData:
    """The compared results of a suite, from which reporters write their files.

    Parameters
    ----------
    title, description : str
        Name and description of the suite.
    table : DataFrame
        One row per entry, that is per dataset, evaluator, kind of labels, budget and method. It has
        the columns `COLUMNS` and one per further metric, each the mean over distillation seeds.
        Entries with the budget ``"-"`` are references of fixed size (such as the whole set or the
        class means): they belong to the comparisons of all budgets and have no rank. Among methods
        that reduce a model (evaluator ``"student"``, labels ``"any"``), the teacher is the only
        such reference.
    failures : DataFrame
        Cells that ended with status failed, timeout, out_of_memory or crashed.
    skipped : DataFrame
        Cells that the plan leaves out, counted over seeds, with the reason.
    published : DataFrame
        Results from the literature for the datasets and budgets of the table.
    overall : list of Overall
        Average ranks, for tasks and kinds of labels with at least two comparisons.
    rows : list of dict
        The finished rows of planned cells, as stored, in the order of the plan.
    environments : dict of str to dict
        Versions and hardware by hash, for the environments that occur in the rows.
    primary : dict of str to str
        The metric that methods are ranked by, per task.
    metrics : dict of str to MetricSpec
        The known metrics by name.
    folder : Path or None
        Results folder that the paths of artefacts are relative to.
    across_evaluators : DataFrame
        Mean and worst score of each method over the evaluators of a dataset, where there are
        several, and how well it ranks them.
    looks : dict of str to int
        Number of stored evaluations on the test rows of each dataset, also those of other plans.
    notes : list of str
        What a reader should know of the results as a whole, such as that several versions of
        distillkit have made them, in sentences.
    n_planned, n_done, n_ok, n_skipped : int
        Number of cells to run (without the skipped ones), of cells with a final status, of cells
        with status ok, and of skipped cells.
    """

    title: str
    table: pd.DataFrame
    failures: pd.DataFrame
    skipped: pd.DataFrame
    published: pd.DataFrame
    overall: list[Overall] = field(default_factory=list)
    description: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    primary: dict[str, str] = field(default_factory=lambda: dict(DEFAULT_PRIMARY))
    metrics: dict[str, MetricSpec] = field(default_factory=dict)
    folder: Path | None = None
    across_evaluators: pd.DataFrame = field(default_factory=pd.DataFrame)
    looks: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    n_planned: int = 0
    n_done: int = 0
    n_ok: int = 0
    n_skipped: int = 0

    @property
    def timing_shared(self) -> bool:
        """Whether any cell ran in parallel with others, so that times are not comparable."""
        return bool(self.table["timing_shared"].any())

    @property
    def metric_columns(self) -> list[str]:
        """Names of the columns that hold metrics."""
        return [name for name in self.table.columns if name not in LEADING and name not in TRAILING]

    def panels(self) -> list[Panel]:
        """Return the data of tables and plots, by dataset, evaluator and kind of labels."""
        directions = {name: _sign(self.metrics, name) > 0 for name in set(self.table["metric"])}
        panels = make_panels(self.table, self.published, directions)
        by_dataset: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows:
            by_dataset.setdefault(row["dataset"], []).append(row)
        notes = {name: dataset_notes(rows, self.looks.get(name, 0)) for name, rows in by_dataset.items()}
        for panel in panels:
            rows = by_dataset.get(panel.dataset, [])
            panel.task_note = rows[-1].get("task_note", "") if rows else ""
            panel.notes = [*notes.get(panel.dataset, dataset_notes([], self.looks.get(panel.dataset, 0)))]
            panel.notes += interval_notes(panel.entries.values())
        return panels


def build_leaderboard(
    cells: list[dict[str, Any]],
    rows: Mapping[str, dict[str, Any]],
    metrics: Mapping[str, MetricSpec],
    *,
    title: str,
    description: str = "",
    primary: Mapping[str, str] | None = None,
    published: Iterable[PublishedResult] = (),
    environments: Mapping[str, dict[str, Any]] | None = None,
    folder: Path | None = None,
    targets: Callable[[str], Mapping[str, Any] | None] | None = None,
) -> LeaderboardData:
    """Build the leaderboard from the rows of finished cells.

    Parameters
    ----------
    cells : list of dict
        Identities of all planned cells; ``skip`` holds the reason if the plan leaves a cell out.
    rows : mapping of str to dict
        Finished rows by key. Rows of other plans are ignored; a cell without a row is pending.
    metrics : mapping of str to MetricSpec
        Gives the order of the columns, and for each metric whether greater is better.
    title, description : str
        Name and description of the suite.
    primary : mapping of str to str or None
        The metric to rank by, per task; by default accuracy for classification and r2 for
        regression.
    published : iterable of PublishedResult
        Results from the literature to show beside the measured ones.
    environments : mapping of str to dict or None
        Versions and hardware by hash.
    folder : Path or None
        Results folder, from which artefacts and the targets of test rows are read.
    targets : callable or None
        Returns the encoded targets of the test rows by the key of the prepared data, or None if
        they are not known; by default those of the folder.

    Returns
    -------
    LeaderboardData

    Notes
    -----
    Values are first averaged over the evaluation seeds of each distilled set, and over the sets of
    each split; the mean is over splits. The 95 % interval includes the sampling of test rows. With
    several splits it is Student's t interval with the variance of Nadeau and Bengio; with one test
    part its standard error is that of a crossed bootstrap over distillation seeds and test rows.
    Each method is compared with the control (the random subset, or the student trained on labels
    alone) by the paired difference in the same scheme; the p-values of the whole page are corrected
    together by Holm's method. Methods with missing cells rank behind the complete ones and are not
    tested, and missing values are not imputed. Methods that were tuned on the test rows of a
    dataset have no rank there.
    """
    primary_metrics = {**DEFAULT_PRIMARY, **(primary or {})}
    # 1. Separate skipped from planned cells.
    skipped = [(cell, reason) for cell in cells if (reason := _skip_reason(cell, rows.get(cell["key"]))) is not None]
    left_out = {cell["key"] for cell, _ in skipped}
    planned = [cell for cell in cells if cell["key"] not in left_out]
    finished = [rows[cell["key"]] for cell in planned if cell["key"] in rows]
    # 2. Group the planned cells into entries, and the entries into comparisons.
    groups = _comparisons(planned, rows, primary_metrics)
    sampler = Sampler(metrics, _targets_of(folder) if targets is None else targets)
    comparisons = [ComparedEntries(group, sampler) for group in groups]
    environment_keys = {row.get("environment") for row in finished}
    # 3. Compare the entries within each comparison and across comparisons.
    return LeaderboardData(
        title=title,
        description=description,
        table=make_table(comparisons, metrics, primary_metrics),
        failures=_failures(planned, rows),
        skipped=_skipped(skipped),
        published=match_published(published, comparisons),
        overall=overall_ranks(comparisons),
        across_evaluators=across_evaluators(comparisons),
        looks=dict(Counter(row["dataset"] for row in rows.values() if row.get("status") == "ok")),
        rows=finished,
        environments={key: value for key, value in (environments or {}).items() if key in environment_keys},
        primary=primary_metrics,
        metrics=dict(metrics),
        folder=None if folder is None else Path(folder),
        notes=version_notes(finished, environments or {}),
        n_planned=len(planned),
        n_done=len(finished),
        n_ok=sum(row.get("status") == "ok" for row in finished),
        n_skipped=len(skipped),
    )


def _skip_reason(cell: Mapping[str, Any], row: Mapping[str, Any] | None) -> str | None:
    if cell.get("skip"):
        return str(cell["skip"])
    if row is not None and row.get("status") == "skipped":
        return str(row.get("error") or "no reason given")
    return None


def _sign(metrics: Mapping[str, MetricSpec], name: str) -> int:
    return -1 if name in metrics and metrics[name].greater_is_better is False else 1


def _comparisons(
    cells: Sequence[dict[str, Any]], rows: Mapping[str, Any], primary: Mapping[str, str]
) -> list[list[LeaderboardEntry]]:
    """Group cells into entries and these into comparisons.

    The comparisons are in the order of the plan, then by budget from small to large.
    """
    # ComparedEntries key -> budget -> method -> cells.
    grouped: dict[tuple[Any, ...], dict[str, dict[str, list[dict[str, Any]]]]] = {}
    for cell in cells:
        by_budget = grouped.setdefault(tuple(cell[name] for name in COMPARISON_KEY), {})
        by_budget.setdefault(cell["budget"], {}).setdefault(cell["method"], []).append(cell)
    return [
        [LeaderboardEntry(group, rows, _primary(group[0], primary)) for group in by_budget[budget].values()]
        for by_budget in grouped.values()
        for budget in sorted(by_budget, key=budget_order)
    ]


def _primary(cell: Mapping[str, Any], primary: Mapping[str, str]) -> str:
    """Return the metric to rank by, which the plan may state for each dataset."""
    return str(cell.get("primary") or primary[cell["task"]])


def _targets_of(folder: Path | None) -> Callable[[str], Mapping[str, Any] | None]:
    """Return a function that reads the encoded targets of a results folder."""
    return (lambda _: None) if folder is None else ResultsStore(folder).targets


def _failures(cells: Sequence[dict[str, Any]], rows: Mapping[str, Any]) -> pd.DataFrame:
    failed = [(cell, rows[cell["key"]]) for cell in cells if rows.get(cell["key"], {}).get("status") in FAILED]
    records = [
        {name: (cell if name in (*_CELL, "key") else row).get(name) for name in _FAILURE_COLUMNS}
        for cell, row in failed
    ]
    for record in records:
        record["seconds"] = finite(record["seconds"])
    return pd.DataFrame(records, columns=list(_FAILURE_COLUMNS)).astype({"seconds": float})


def _skipped(skipped: Sequence[tuple[dict[str, Any], str]]) -> pd.DataFrame:
    counts: dict[tuple[Any, ...], int] = {}
    for cell, reason in skipped:
        key = (*(cell[name] for name in (*COMPARISON_KEY, "budget", "method")), reason)
        counts[key] = counts.get(key, 0) + 1
    return pd.DataFrame([(*key[:-1], count, key[-1]) for key, count in counts.items()], columns=list(_SKIPPED_COLUMNS))
