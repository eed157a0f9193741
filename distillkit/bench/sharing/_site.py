"""Publishes results as a static site, whose rows are lines of JSON that anyone can add to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distillkit.bench.leaderboard._leaderboard import LeaderboardData, build_leaderboard
from distillkit.bench.planning._suite import DEFAULT_PRIMARY
from distillkit.bench.results._store import ResultsStore, write_json
from distillkit.bench.sharing._merge import copy_files
from distillkit.bench.sharing._row_schema import row_schema
from distillkit.bench.sharing._row_source import RowSource, open_source
from distillkit.bench.sharing._site_pages import write_pages
from distillkit.bench.sharing._union import RowUnion, unite_rows
from distillkit.exceptions import ResultsError
from distillkit.plugins import get_manager

__all__ = ["Published", "publish"]

Row = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """What a site holds after publishing: rows by suite, and how many of them are new."""

    n_rows: dict[str, int]
    n_added: int
    files: list[Path] = field(default_factory=list)


def publish(
    site: Path, sources: Sequence[RowSource], *, artefacts: bool = False, prefer: Path | None = None
) -> Published:
    """Add results to a site, and write its pages anew.

    The pages depend on the files of the site alone, so that publishing without results only writes
    them again, as after a contribution.

    Parameters
    ----------
    site : Path
        Folder of the site; created if it does not exist.
    sources : sequence of RowSource
        Results to add.
    artefacts : bool, default=False
        Whether to add the distilled sets, from which the pages draw pictures and loss curves.
    prefer : path or None
        The site or the results that decide where others contradict them.

    Returns
    -------
    Published

    Raises
    ------
    ResultsError
        If the results contradict each other or the site, a row of the site is not valid, there is
        nothing to publish, or the folder holds something else.
    """
    present = _present(site)
    if present is not None and present.problems:
        raise ResultsError(f"{site} holds rows that are not valid: {present.problems[0]} Mend or remove the line.")
    everything = [*([] if present is None else [present]), *sources]
    if not everything:
        raise ResultsError(f"{site} has no rows yet: name results to publish after it.")
    damaged = next((source for source in sources if source.problems), None)
    if damaged is not None:
        raise ResultsError(f"{damaged.path} holds damaged rows: {damaged.problems[0]} Run the suite again.")
    union = unite_rows(everything, prefer)
    try:
        files = _write_data(site, union, sources, artefacts=artefacts)
        boards = {suite: _leaderboard(site, suite, rows) for suite, rows in _by_suite(union).items()}
        files += write_pages(site, boards)
    except OSError as exc:
        raise ResultsError(f"cannot write the site {site}: {exc.strerror or exc}. Give another folder.") from exc
    n_before = 0 if present is None else len(present.rows)
    return Published({suite: len(rows) for suite, rows in _by_suite(union).items()}, len(union.rows) - n_before, files)


def _present(site: Path) -> RowSource | None:
    """Return what the site holds; None if it is new."""
    if (site / "rows").is_dir():
        return open_source(site)
    if (site / "cells").exists() or (site.exists() and not site.is_dir()):
        raise ResultsError(
            f"{site} is a results folder or a file: give the folder of the site first, then the results."
        )
    return None


def _by_suite(union: RowUnion) -> dict[str, list[Row]]:
    """Return the rows of each suite, in an order that does not depend on where they are from."""
    suites: dict[str, list[Row]] = {}
    for _, row in sorted(union.rows.items()):
        suites.setdefault(str(row.get("suite") or "results"), []).append(row)
    return suites


def _write_data(site: Path, union: RowUnion, sources: Sequence[RowSource], *, artefacts: bool) -> list[Path]:
    """Write the rows, the schema, and what rows refer to."""
    store = ResultsStore(site)
    (site / "rows").mkdir(parents=True, exist_ok=True)
    files = []
    for suite, rows in _by_suite(union).items():
        path = site / "rows" / f"{suite}.jsonl"
        lines = (json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(", ", ": ")) for row in rows)
        part = path.with_name(f".{path.name}.part")
        part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        part.replace(path)
        files.append(path)
    used = {row.get("environment") for row in union.rows.values()}
    for source in sources:
        for key, environment in source.store.environments().items():
            if key in used:
                store.write_environment(key, environment)
        if source.store.exists():
            plan = source.store.plan()
            facts = {name: plan[name] for name in ("suite", "description", "primary")}
            write_json(site / "suites" / f"{plan['suite']}.json", facts)
    copy_files(union, store, artefacts=artefacts)
    write_json(site / "row.schema.json", row_schema())
    return [*files, site / "row.schema.json"]


def _leaderboard(site: Path, suite: str, rows: Sequence[Row]) -> LeaderboardData:
    """Build the leaderboard of the published rows of a suite."""
    manager = get_manager()
    facts = _suite_facts(site, suite)
    order = ("dataset", "evaluator", "label_mode", "method", "split", "distil_seed", "eval_seed")
    cells = sorted(rows, key=lambda row: [str(row.get(name)) for name in order])
    return build_leaderboard(
        cells,
        {row["key"]: row for row in rows},
        manager.short_specs("metric"),
        title=suite,
        description=str(facts.get("description") or ""),
        primary={**DEFAULT_PRIMARY, **(facts.get("primary") or {})},
        published=manager.published(),
        environments=ResultsStore(site).environments(),
        folder=site,
    )


def _suite_facts(site: Path, suite: str) -> Mapping[str, Any]:
    try:
        facts = json.loads((site / "suites" / f"{suite}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # rows without a plan
        return {}
    return facts if isinstance(facts, dict) else {}
