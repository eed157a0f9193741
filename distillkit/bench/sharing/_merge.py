"""Merges results folders: the union of rows, plans, environments, targets and distilled sets."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distillkit.bench.planning._suite import DEFAULT_PRIMARY
from distillkit.bench.planning._united_plan import unite
from distillkit.bench.results._store import ResultsStore, part_of
from distillkit.bench.sharing._row_source import RowSource
from distillkit.bench.sharing._union import RowUnion, unite_rows
from distillkit.exceptions import ResultsError

__all__ = ["Merged", "copy_files", "merge"]


@dataclass(frozen=True)
class Merged:
    """The outcome of a merge: numbers of rows and planned cells, and what `prefer` decided."""

    n_rows: int
    n_cells: int
    n_shared: int
    resolved: list[str]


def merge(sources: Sequence[RowSource], target: Path, prefer: Path | None = None) -> Merged:
    """Write the union of several results into a folder.

    Parameters
    ----------
    sources : sequence of RowSource
    target : Path
        A new or empty folder, or the folder of one of the results, which is then extended.
    prefer : path or None
        The results that decide where others contradict them.

    Returns
    -------
    Merged

    Raises
    ------
    ResultsError
        If the results contradict each other, see `distillkit.bench.sharing._union.unite_rows`; or
        if the folder holds other results, or cannot be written.
    """
    own = any(source.store.folder.resolve() == target.resolve() for source in sources)
    if not own and target.exists() and any(target.iterdir()):
        raise ResultsError(f"{target} is not empty: give a new folder, or name it among the results to extend it.")
    union = unite_rows(sources, prefer)
    plan = _united_plan(sources, prefer)
    with ResultsStore(target) as store:
        for key, environment in _environments(sources).items():
            store.write_environment(key, environment)
        copy_files(union, store)
        for key, row in union.rows.items():
            if union.origin[key].store.folder.resolve() != target.resolve():
                store.write_row(row)
        store.write_plan(plan)
    return Merged(len(union.rows), len(plan["cells"]), union.n_shared, union.resolved)


def _environments(sources: Iterable[RowSource]) -> dict[str, dict[str, Any]]:
    return {key: value for source in sources for key, value in source.store.environments().items()}


def _united_plan(sources: Sequence[RowSource], prefer: Path | None) -> dict[str, Any]:
    """Return the plan of all results: their planned cells, and the rows of those without a plan."""
    ordered = sorted(sources, key=lambda source: prefer is None or source.path.resolve() != prefer.resolve())
    cells: list[dict[str, Any]] = []
    names, texts, primary = list[str](), list[str](), dict[str, str]()
    for source in ordered:
        plan = source.store.plan() if source.store.exists() else _plan_of_rows(source)
        primary = plan["primary"] | primary
        names.append(plan["suite"])
        texts.append(plan["description"])
        cells = unite(cells, plan["cells"]).cells
    return {
        "suite": " and ".join(dict.fromkeys(names)),
        "description": " ".join(dict.fromkeys(filter(None, texts))),
        "primary": {**DEFAULT_PRIMARY, **primary},
        "cells": cells,
    }


def _plan_of_rows(source: RowSource) -> dict[str, Any]:
    rows = list(source.rows.values())
    suite = " and ".join(dict.fromkeys(str(row.get("suite", "results")) for row in rows))
    cells = [row | {"metrics": list(row.get("metric_versions") or ())} for row in rows]
    return {"suite": suite, "description": "", "primary": {}, "cells": [_planned(cell) for cell in cells]}


def _planned(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a row that a planned cell has."""
    import dataclasses

    from distillkit.bench.planning._cells import Cell

    return {field.name: row[field.name] for field in dataclasses.fields(Cell) if field.name in row}


def copy_files(union: RowUnion, store: ResultsStore, *, artefacts: bool = True) -> None:
    """Copy the targets and the distilled sets that rows name, unless they are there.

    Parameters
    ----------
    union : RowUnion
    store : ResultsStore
        Where they are copied to.
    artefacts : bool, default=True
        Whether to copy distilled sets with their records and floors.
    """
    for key, row in union.rows.items():
        other = union.origin[key].store
        stores = (other, store)
        pairs = [[each.targets_path(str(row.get("data_key"))) for each in stores]]
        if artefacts:
            paths = [each.artefact_path(str(row.get("distil_key"))) for each in stores]
            pairs += [paths, [path.with_suffix(".json") for path in paths]]
        for origin, target in pairs:
            _copy(origin, target)


def _copy(origin: Path, target: Path) -> None:
    if target.exists() or not origin.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(target)
    try:
        shutil.copyfile(origin, part)
        part.replace(target)
    except OSError as exc:
        raise ResultsError(f"cannot copy {origin} to {target}: {exc.strerror or exc}. Free space there.") from exc
    finally:
        part.unlink(missing_ok=True)
