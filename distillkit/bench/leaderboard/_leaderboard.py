"""From the rows of finished cells to one leaderboard: means with intervals, ranks, tests, costs, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from distillkit.bench.leaderboard._entry import COMPARISON_KEY, FAILED, LeaderboardEntry, finite
from distillkit.bench.leaderboard._overall import Overall, overall_ranks
from distillkit.bench.leaderboard._panels import Panel, budget_order, make_panels
from distillkit.bench.leaderboard._published_matches import match_published
from distillkit.bench.leaderboard._table import COLUMNS, LEADING, TRAILING, make_table
from distillkit.bench.planning._suite import DEFAULT_PRIMARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from distillkit.specs import MetricSpec, PublishedResult

__all__ = ["COLUMNS", "Leaderboard", "Overall", "Panel", "build_leaderboard"]

_CELL = (*COMPARISON_KEY, "budget", "method", "distil_seed", "eval_seed")
_FAILURE_COLUMNS = (*_CELL, "status", "phase", "error", "seconds", "key")
_SKIPPED_COLUMNS = (*COMPARISON_KEY, "budget", "method", "cells", "reason")


@dataclass
class Leaderboard:
    """Everything that a reporter writes.

    Parameters
    ----------
    title, description : str
    table : DataFrame
        One line per dataset x evaluator x kind of labels x budget x method; see `COLUMNS`, and one column per metric,
        each the mean over distillation seeds. Lines with budget ``"-"`` are references of fixed size (the whole set,
        class means): they belong to the comparison of every budget and never take a rank. Of methods that reduce a
        model (evaluator ``"student"``, labels ``"any"``) the teacher alone is such a reference.
    failures : DataFrame
        Cells that ended as failed, timeout, out_of_memory or crashed.
    skipped : DataFrame
        Cells the plan leaves out, counted over seeds, with the reason.
    published : DataFrame
        Figures from the literature for the datasets and budgets of the table.
    overall : list of Overall
        Average ranks, where there are at least two comparisons.
    rows : list of dict
        The finished rows of planned cells, as stored, in the order of the plan.
    environments : dict of str to dict
        Versions and hardware by hash, those that rows name.
    primary : dict of str to str
        The metric that decides, by task.
    metrics : dict of str to MetricSpec
    folder : Path or None
        Results folder that artefact paths start from.
    n_planned, n_done, n_ok, n_skipped : int
        Cells to run (without the skipped), with a final status, with status ok; cells skipped.
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
    n_planned: int = 0
    n_done: int = 0
    n_ok: int = 0
    n_skipped: int = 0

    @property
    def timing_shared(self) -> bool:
        """Whether any cell ran beside others, so that seconds do not compare."""
        return bool(self.table["timing_shared"].any())

    @property
    def metric_columns(self) -> list[str]:
        """Names of the columns that hold metrics."""
        return [name for name in self.table.columns if name not in LEADING and name not in TRAILING]

    def panels(self) -> list[Panel]:
        """Return one panel per dataset, evaluator and kind of labels: the data of tables and plots."""
        directions = {name: _sign(self.metrics, name) > 0 for name in set(self.table["metric"])}
        return make_panels(self.table, self.published, directions)


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
) -> Leaderboard:
    """Compare what finished cells measured.

    Parameters
    ----------
    cells : list of dict
        Identities of all planned cells; ``skip`` holds the reason where the plan leaves one out.
    rows : mapping of str to dict
        Finished rows by key. Rows of no planned cell are not looked at; a cell without a row is pending.
    metrics : mapping of str to MetricSpec
        Order of the columns, and whether more is better.
    title, description : str
    primary : mapping of str to str or None
        Task -> metric that decides; accuracy and r2 unless given.
    published : iterable of PublishedResult
    environments : mapping of str to dict or None
        By hash.
    folder : Path or None
        Results folder, for artefacts.

    Returns
    -------
    Leaderboard

    Notes
    -----
    Evaluation seeds are averaged within a distillation seed first; the 95 % interval and n are over distillation seeds.
    Ranks are by mean; methods with missing cells rank behind the complete ones and no value is made up for them.
    Each method is tested against the random subset, a student against the student taught by labels alone, by a paired
    t-test over the distillation seeds that both have, corrected (Holm) within the comparison.
    """
    chosen = {**DEFAULT_PRIMARY, **(primary or {})}
    skipped = [(cell, reason) for cell in cells if (reason := _skip_reason(cell, rows.get(cell["key"]))) is not None]
    left_out = {cell["key"] for cell, _ in skipped}
    planned = [cell for cell in cells if cell["key"] not in left_out]
    finished = [rows[cell["key"]] for cell in planned if cell["key"] in rows]
    groups = _comparisons(planned, rows, chosen)
    comparisons = [(group, _sign(metrics, group[0].metric)) for group in groups]
    lines = [line for group in groups for line in group]
    used = {row.get("environment") for row in finished}
    return Leaderboard(
        title=title,
        description=description,
        table=make_table(comparisons, metrics, chosen),
        failures=_failures(planned, rows),
        skipped=_skipped(skipped),
        published=match_published(published, lines),
        overall=overall_ranks(comparisons),
        rows=finished,
        environments={key: value for key, value in (environments or {}).items() if key in used},
        primary=chosen,
        metrics=dict(metrics),
        folder=None if folder is None else Path(folder),
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
    """Group cells into lines and lines into comparisons: places as planned, budgets by size, references last."""
    places: dict[tuple[Any, ...], dict[str, dict[str, list[dict[str, Any]]]]] = {}
    for cell in cells:
        place = places.setdefault(tuple(cell[name] for name in COMPARISON_KEY), {})
        place.setdefault(cell["budget"], {}).setdefault(cell["method"], []).append(cell)
    return [
        [LeaderboardEntry(group, rows, primary[group[0]["task"]]) for group in budgets[budget].values()]
        for budgets in places.values()
        for budget in sorted(budgets, key=budget_order)
    ]


def _failures(cells: Sequence[dict[str, Any]], rows: Mapping[str, Any]) -> pd.DataFrame:
    found = [(cell, rows[cell["key"]]) for cell in cells if rows.get(cell["key"], {}).get("status") in FAILED]
    records = [
        {name: (cell if name in (*_CELL, "key") else row).get(name) for name in _FAILURE_COLUMNS} for cell, row in found
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
