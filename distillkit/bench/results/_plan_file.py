"""Writes the plan of a run into its results folder, united with the plan that is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from distillkit.bench.planning._cells import Plan
from distillkit.bench.planning._suite import DEFAULT_PRIMARY
from distillkit.bench.planning._united_plan import UnitedPlan, unite
from distillkit.bench.results._store import ResultsStore
from distillkit.exceptions import ResultsError

__all__ = ["plan_notes", "plan_of", "prune_plan", "united_with", "write_united_plan"]

_MOST_NAMES = 6


def plan_of(plan: Plan) -> dict[str, Any]:
    """Return what the plan file of a run without earlier results holds."""
    return {
        "suite": plan.suite.name,
        "description": plan.suite.description,
        "primary": {**DEFAULT_PRIMARY, **plan.suite.primary},
        "cells": [cell.identity() for cell in plan.cells],
    }


def united_with(plan: Plan, store: ResultsStore) -> UnitedPlan:
    """Return the cells of a plan, united with those of the plan that a results folder has.

    Raises
    ------
    ResultsError
        If the plan is that of a filtered suite, and earlier results of other methods could not
        stand beside the new ones.
    """
    united = unite(plan_of(plan)["cells"], store.planned_cells(), whole=not plan.suite.narrowed)
    if plan.suite.narrowed and (lost := united.lost):
        number = sum(map(len, lost.values()))
        raise ResultsError(
            f"{store.folder} holds {number} cells that cannot be compared with those of this run ({_reasons(lost)}): "
            "run the whole suite, give another folder with --output, or take them off its leaderboard with --prune."
        )
    return united


def write_united_plan(plan: Plan, store: ResultsStore) -> None:
    """Write the plan of a run, united with the plan that the results folder has.

    Raises
    ------
    ResultsError
        As for `united_with`, or if it cannot be written.
    """
    store.write_plan(plan_of(plan) | {"cells": united_with(plan, store).cells})


def prune_plan(plan: Plan, store: ResultsStore) -> int:
    """Take the cells that a plan does not have off the plan of a results folder; keep their rows.

    Returns
    -------
    int
        Number of cells taken off.
    """
    cells = store.planned_cells()
    keys = {cell.key for cell in plan.cells}
    kept = [cell for cell in cells if cell["key"] in keys]
    if len(kept) < len(cells):
        store.write_plan(plan_of(plan) | {"cells": kept})
    return len(cells) - len(kept)


def plan_notes(plan: Plan, united: UnitedPlan) -> list[str]:
    """Return in sentences what a results folder has beyond the cells of a plan.

    Parameters
    ----------
    plan : Plan
    united : UnitedPlan
        What `united_with` returned before the plan was written.
    """
    notes = []
    if united.replaced:
        number = sum(map(len, united.replaced.values()))
        notes.append(
            f"{number} cells of earlier runs leave the leaderboard, because this run measures in another way "
            f"({_reasons(united.replaced)}); their rows stay on disk."
        )
    if united.left and not plan.suite.narrowed:
        notes.append(
            f"{len(united.left)} cells of earlier runs are not in this suite ({_described(plan, united.left)}): they "
            "stay on the leaderboard, and --prune takes them off."
        )
    return notes


def _reasons(cells: Mapping[str, Sequence[Any]]) -> str:
    reasons = list(cells)
    more = f", and {len(reasons) - _MOST_NAMES} more reasons" if len(reasons) > _MOST_NAMES else ""
    return "; ".join(reasons[:_MOST_NAMES]) + more


def _described(plan: Plan, left: Sequence[Mapping[str, Any]]) -> str:
    """Say what is new about cells: labels that no cell of the plan has, or else their number."""
    parts = []
    for kind in ("dataset", "method", "evaluator", "budget"):
        known = {getattr(cell, kind) for cell in plan.cells}
        names = Counter(cell[kind] for cell in left if cell[kind] not in known)
        if names:
            listed = ", ".join(list(names)[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
            parts.append(f"{kind} {listed}")
            left = [cell for cell in left if cell[kind] not in names]
    return "; ".join(parts) or "other seeds or splits"
