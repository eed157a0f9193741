"""Unites the rows of several results, and names what contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distillkit.bench.planning._keys import PROTOCOL
from distillkit.bench.planning._united_plan import difference_from
from distillkit.bench.sharing._row_source import RowSource
from distillkit.bench.sharing._row_values import row_differences
from distillkit.exceptions import ResultsError

__all__ = ["RowUnion", "unite_rows"]

Row = dict[str, Any]

_MOST_NAMED = 5


@dataclass
class RowUnion:
    """The rows of several results.

    Parameters
    ----------
    rows : dict of str to dict
        Rows by key.
    origin : dict of str to RowSource
        Where each row is from.
    n_shared : int
        Number of rows that several of the results have.
    resolved : list of str
        Contradictions that the preferred results decided, in words.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    origin: dict[str, RowSource] = field(default_factory=dict)
    n_shared: int = 0
    resolved: list[str] = field(default_factory=list)


def unite_rows(sources: Sequence[RowSource], prefer: Path | None = None) -> RowUnion:
    """Unite the rows of several results.

    Rows of one key are the same if all values but times and sizes of memory are; the first is kept
    then.

    Parameters
    ----------
    sources : sequence of RowSource
    prefer : path or None
        The results that decide where others contradict them.

    Returns
    -------
    RowUnion

    Raises
    ------
    ResultsError
        If protocols differ; or without `prefer` if two rows of a key have different values, or a
        label stands for different things, such as two versions of a method.
    """
    _check_protocols(sources)
    first = [source for source in sources if prefer is not None and source.path.resolve() == prefer.resolve()]
    if prefer is not None and not first:
        raise ResultsError(
            f"--prefer {prefer} is none of the results ({', '.join(str(source.path) for source in sources)}): name one."
        )
    ordered = [*first, *(source for source in sources if source not in first)]
    union, conflicts = RowUnion(), list[str]()
    for source in ordered:
        conflicts += _add(union, source, drop=prefer is not None)
    if conflicts and prefer is None:
        more = f" and {len(conflicts) - _MOST_NAMED} more" if len(conflicts) > _MOST_NAMED else ""
        raise ResultsError(
            f"the results contradict each other: {'; '.join(conflicts[:_MOST_NAMED])}{more}. Choose which of them "
            "decide with --prefer, or find the reason with `distillkit reproduce`."
        )
    union.resolved = conflicts
    return union


def _check_protocols(sources: Sequence[RowSource]) -> None:
    by_protocol: dict[int, list[str]] = {}
    for source in sources:
        for protocol in {int(row.get("protocol") or PROTOCOL) for row in source.rows.values()}:
            by_protocol.setdefault(protocol, []).append(str(source.path))
    if len(by_protocol) > 1:
        named = "; ".join(f"protocol {protocol} in {', '.join(paths)}" for protocol, paths in by_protocol.items())
        raise ResultsError(
            f"results of several protocols do not compare: {named}. Run the suite again with one version of distillkit."
        )


def _add(union: RowUnion, source: RowSource, *, drop: bool) -> list[str]:
    """Add the rows of a source; return contradictions. With `drop`, these are left out."""
    conflicts = []
    fresh = []
    for key, row in source.rows.items():
        if key not in union.rows:
            fresh.append(row)
            continue
        union.n_shared += 1
        differences = row_differences(union.rows[key], row)
        if differences:
            names = ", ".join(difference.field for difference in differences[:3])
            conflicts.append(f"row {key} differs in {names} between {union.origin[key].path} and {source.path}")
    difference = difference_from(list(union.rows.values()))
    reasons = {row["key"]: reason for row in fresh if (reason := difference(row)) is not None}
    conflicts += [f"{source.path} was measured otherwise ({reason})" for reason in dict.fromkeys(reasons.values())]
    for row in fresh:
        if not (drop and row["key"] in reasons):
            union.rows[row["key"]], union.origin[row["key"]] = row, source
    return conflicts
