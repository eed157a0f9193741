"""Further tables of reports: floors, privacy, and comparisons over evaluators and datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData, Overall
from distillkit.bench.leaderboard._panels import budget_order, to_records
from distillkit.bench.reporters import _format as fmt

__all__ = ["SECTIONS", "Section", "SectionTable", "overall_columns", "win_table"]


_METRICS_A_TABLE = 3
"""Most distribution metrics in one table, each of which has four columns."""


@dataclass(frozen=True)
class SectionTable:
    """A table whose cells are texts.

    Parameters
    ----------
    title : str
        Heading; may be empty.
    head : list of str
        Headings of the columns.
    rows : list of list of str
    left : int
        Number of columns that are aligned to the left.
    short : int
        Number of columns that narrow reports show.
    dataset, budget, label_mode : str
        What the rows belong to; empty for tables of several.
    """

    title: str
    head: list[str]
    rows: list[list[str]] = field(default_factory=list)
    left: int = 1
    short: int = 9
    dataset: str = ""
    budget: str = ""
    label_mode: str = ""


def floor_tables(leaderboard: LeaderboardData) -> list[SectionTable]:
    """Return one table per dataset and budget with the distribution metrics beside their floors."""
    metrics = [name.removesuffix(".fresh") for name in leaderboard.table.columns if name.endswith(".fresh")]
    groups: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for entry in to_records(leaderboard.table):
        # The metrics of a set do not depend on the evaluator, so that the first one will do.
        groups.setdefault((entry["dataset"], entry["budget"]), {}).setdefault(entry["method"], entry)
    tables = []
    for (dataset, budget), entries in _by_budget(groups):
        shown = [name for name in metrics if any(entry[f"{name}.fresh"] is not None for entry in entries.values())]
        for names in (shown[i : i + _METRICS_A_TABLE] for i in range(0, len(shown), _METRICS_A_TABLE)):
            head = ["method", *(part for name in names for part in (name, "random rows", "held-out rows", "z"))]
            rows = [[method, *_floor_cells(entry, names)] for method, entry in entries.items()]
            title = f"{dataset}, {_budget(budget)}: {', '.join(names)}"
            tables.append(SectionTable(title, head, rows, dataset=dataset, budget=budget))
    return tables


def _floor_cells(entry: dict[str, Any], metrics: list[str]) -> Iterator[str]:
    for name in metrics:
        yield fmt.general(entry[name])
        yield fmt.general(entry[f"{name}.picked"])
        yield fmt.general(entry[f"{name}.fresh"])
        yield fmt.fixed(entry[f"{name}.z"], 1)


def _by_budget(groups: dict[tuple[str, str], Any]) -> list[tuple[tuple[str, str], Any]]:
    """Return the groups by dataset in the order of the table, then by budget."""
    datasets = list(dict.fromkeys(dataset for dataset, _ in groups))
    return sorted(groups.items(), key=lambda item: (datasets.index(item[0][0]), budget_order(item[0][1])))


def _budget(budget: str) -> str:
    return "fixed size" if budget == "-" else f"budget {fmt.budget_text(budget)}"


def privacy_tables(leaderboard: LeaderboardData) -> list[SectionTable]:
    """Return one table per dataset with the verdicts of the privacy panel."""
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for entry in to_records(leaderboard.table):
        flags = [entry["exposes_originals"], entry["starts_from_real"]]
        if entry["privacy"] or any(flag is not None for flag in flags):
            texts = [fmt.NO_VALUE if flag is None else "yes" if flag else "no" for flag in flags]
            row = [entry["method"], fmt.budget_text(entry["budget"]), entry["privacy"] or fmt.NO_VALUE, *texts]
            key = (entry["method"], entry["budget"])
            found.setdefault(entry["dataset"], {}).setdefault(key, [*row, entry["privacy_reasons"] or fmt.NO_VALUE])
    head = ["method", "budget", "verdict", "publishes training rows", "starts from them", "reasons"]
    return [
        SectionTable(dataset, head, list(rows.values()), left=6, short=5, dataset=dataset)
        for dataset, rows in found.items()
    ]


def evaluator_tables(leaderboard: LeaderboardData) -> list[SectionTable]:
    """Return one table per dataset and budget with the mean and worst score over evaluators."""
    groups: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for record in to_records(leaderboard.across_evaluators):
        labels = " soft labels," if record["label_mode"] == "soft" else ""
        title = f"{record['dataset']},{labels} {_budget(record['budget'])}: {record['metric']}"
        title += f" over {record['evaluators']} evaluators"
        groups.setdefault((record["dataset"], record["budget"], record["label_mode"], title), []).append(record)
    return [
        SectionTable(
            title,
            ["method", "mean", "worst", "with", *(["selection"] if _any_selection(records) else [])],
            [_evaluator_row(record, selection=_any_selection(records)) for record in records],
            dataset=dataset,
            budget=budget,
            label_mode=label_mode,
        )
        for (dataset, budget, label_mode, title), records in groups.items()
    ]


def _any_selection(records: Sequence[dict[str, Any]]) -> bool:
    return any(record["selection_correlation"] is not None for record in records)


def _evaluator_row(record: dict[str, Any], *, selection: bool) -> list[str]:
    row = [record["method"], fmt.fixed(record["mean"]), fmt.fixed(record["worst"]), record["worst_evaluator"]]
    value = record["selection_correlation"]
    return row + ([fmt.NO_VALUE if value is None else fmt.fixed(value, 2)] if selection else [])


def overall_columns(overall: Overall) -> SectionTable:
    """Return the table of average ranks, win rates and recovery over datasets."""
    head = ["method", "average rank", "first in", "win rate", "recovery"]
    if overall.critical_difference is not None:
        head += ["dataset rank", "differs from the best"]
    rows = []
    for record in to_records(overall.table):
        row = [record["method"], fmt.fixed(record["average_rank"], 2), f"{record['firsts']}/{overall.n_comparisons}"]
        row += [_spread(record, "win_rate"), _spread(record, "recovery")]
        if overall.critical_difference is not None:
            row += [fmt.fixed(record["dataset_rank"], 2), "no" if record["within_cd"] else "yes"]
        rows.append(row)
    return SectionTable("", head, rows)


def _spread(record: dict[str, Any], name: str) -> str:
    """Return a mean and its interval as text."""
    low, high = record[f"{name}_low"], record[f"{name}_high"]
    interval = "" if low is None else f" [{fmt.fixed(low, 2)}, {fmt.fixed(high, 2)}]"
    return fmt.fixed(record[name], 2) + interval


def win_table(overall: Overall) -> SectionTable:
    """Return the matrix of win rates: how often the method of the row beats that of the column."""
    names = [str(name) for name in overall.wins.columns]
    wins = {(one, other): overall.wins[other][one] for one in names for other in names}
    rows = [
        [name, *(fmt.NO_VALUE if other == name else fmt.fixed(float(wins[name, other]), 2) for other in names)]
        for name in names
    ]
    return SectionTable(
        "Win rates: share of the comparisons in which the row is better than the column", ["method", *names], rows
    )


@dataclass(frozen=True)
class Section:
    """A section of a report.

    Parameters
    ----------
    name, title, words : str
        Anchor, heading and explanation.
    tables : callable
        Returns the tables of a leaderboard; none leave the section out.
    """

    name: str
    title: str
    words: str
    tables: Callable[[LeaderboardData], list[SectionTable]]


SECTIONS = (
    Section(
        "evaluators",
        "Over evaluators",
        "How well a set serves other models than one: mean and worst score over the evaluators, of methods that are "
        "complete with all of them. With three evaluators or more, selection is the rank correlation (Kendall's "
        "tau-b) of their scores with those after training on all rows: at 1, the set chooses the same model.",
        evaluator_tables,
    ),
    Section(
        "floors",
        "Distribution metrics and their floors",
        "Each metric compares a distilled set with the training rows. Beside it is the same metric of random training "
        "rows, which were drawn and left in, and of held-out training rows, which were drawn and removed, both of "
        "equal size, class counts and weights. z is the difference of the set from the held-out rows in their standard "
        "deviations. Rows that are copied from the training set score better than held-out rows do, which is no merit.",
        floor_tables,
    ),
    Section(
        "privacy",
        "Privacy",
        "Verdicts compare the set with its training rows and with rows that the method has not seen. They report "
        "traces that were found and promise nothing about those that were not: only a formal guarantee, such as "
        "differential privacy, would.",
        privacy_tables,
    ),
)
"""The sections between the scores and the published results, in their order."""
