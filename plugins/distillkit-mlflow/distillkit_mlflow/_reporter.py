"""The reporter, which writes a leaderboard into an MLflow tracking store."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["write"]

DATABASE = "mlflow.db"
"""Name of the SQLite file in the results folder, where no tracking store is named."""
ARTIFACTS = "mlflow-artifacts"


def write(leaderboard: Any, folder: Path) -> list[Path]:
    """Write one run for each line of the leaderboard's table, and one with the table itself.

    The store is the one that the environment variable ``MLFLOW_TRACKING_URI`` names, or the SQLite
    file ``mlflow.db`` in the results folder. The experiment is named by ``MLFLOW_EXPERIMENT_NAME``,
    or like the leaderboard. A run that exists already is brought up to date, so that a leaderboard
    can be written again after more cells have finished.

    Parameters
    ----------
    leaderboard : distillkit.bench.leaderboard.LeaderboardData
    folder : Path
        The results folder; created if it does not exist.

    Returns
    -------
    list of Path
        The SQLite file, or nothing if the store is named by the environment.
    """
    from mlflow import MlflowClient

    from distillkit_mlflow._entry_runs import EntryRuns

    folder.mkdir(parents=True, exist_ok=True)
    named = os.environ.get("MLFLOW_TRACKING_URI")
    database = folder.resolve() / DATABASE
    with _quiet_migrations():
        client = MlflowClient(tracking_uri=named or f"sqlite:///{database}")
        experiment = _experiment(client, leaderboard.title, None if named else folder.resolve() / ARTIFACTS)
    runs = EntryRuns(client, experiment)
    for entry in leaderboard.table.to_dict(orient="records"):
        runs.write(entry)
    runs.write_table(leaderboard)
    return [] if named else [folder / DATABASE]


def _experiment(client: Any, title: str, artifacts: Path | None) -> str:
    """Return the identifier of the experiment, which is created if there is none of its name."""
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or title
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=artifacts.as_uri() if artifacts else None))


@contextmanager
def _quiet_migrations() -> Iterator[None]:
    """Keep what MLflow tells of the tables that it creates in a new file off the terminal."""
    logger = logging.getLogger("mlflow.store.db.utils")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
