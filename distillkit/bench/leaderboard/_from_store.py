"""Builds the leaderboard of a results folder from its plan, its rows and what is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distillkit.bench.leaderboard._leaderboard import LeaderboardData, build_leaderboard
from distillkit.bench.planning._primary import with_primary
from distillkit.plugins import get_manager

if TYPE_CHECKING:
    from distillkit.bench.results._store import ResultsStore

__all__ = ["leaderboard_of"]


def leaderboard_of(store: ResultsStore) -> LeaderboardData:
    """Return the leaderboard of a results folder, even if the run is unfinished.

    Parameters
    ----------
    store : ResultsStore

    Raises
    ------
    ResultsError
        If the folder has no plan.
    """
    plan, manager = store.plan(), get_manager()
    # Which metric suits a dataset is known only once its rows are prepared.
    facts = {key: store.targets(key) for key in {cell["data_key"] for cell in plan["cells"] if "data_key" in cell}}
    cells = [with_primary(cell, facts.get(cell.get("data_key"))) for cell in plan["cells"]]
    return build_leaderboard(
        cells,
        store.rows(),  # Rows of other plans count as looks at the test rows.
        manager.short_specs("metric"),
        title=plan["suite"],
        description=plan["description"],
        primary=plan["primary"],
        published=manager.published(),
        environments=store.environments(),
        folder=store.folder,
    )
