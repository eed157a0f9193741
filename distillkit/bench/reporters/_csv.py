"""Writes the leaderboard as CSV files: its table, and the rows of all finished cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillkit.bench.leaderboard import LeaderboardData

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["flat_rows", "table_csv", "write"]


def write(leaderboard: LeaderboardData, folder: Path) -> list[Path]:
    """Write ``leaderboard.csv`` (the table) and ``rows.csv`` (every finished row, flattened).

    Parameters
    ----------
    leaderboard : LeaderboardData
    folder : Path
        Created if it does not exist.

    Returns
    -------
    list of Path
        Both files. In ``rows.csv``, the columns of metrics are named ``metrics.<name>``, and lists
        and other mappings are written as JSON. The predictions for the test rows are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, rows = folder / "leaderboard.csv", folder / "rows.csv"
    table_csv(leaderboard.table, table)
    table_csv(flat_rows(leaderboard), rows)
    return [table, rows]


def table_csv(table: pd.DataFrame, path: Path | None = None) -> str:
    """Return a table as CSV, or write it to a file."""
    text = table.to_csv(path, index=False, lineterminator="\n", errors="backslashreplace")
    return text or ""


def flat_rows(leaderboard: LeaderboardData) -> pd.DataFrame:
    """Return the finished rows as a table, without the predictions for the test rows.

    The columns of metrics are named ``metrics.<name>``, and lists and other mappings are JSON.
    """
    import pandas as pd

    flat = [_flatten(row) for row in leaderboard.rows]
    names = list(dict.fromkeys(name for row in flat for name in row if not name.startswith("metrics.")))
    metrics = sorted({name for row in flat for name in row if name.startswith("metrics.")})
    return pd.DataFrame(flat, columns=[*names, *metrics])


def _flatten(row: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name == "outcome":
            continue
        if name == "metrics" and isinstance(value, dict):  # A list of metric names remains one column.
            flat |= {f"metrics.{metric}": number for metric, number in value.items()}
        else:
            flat[name] = json.dumps(value, sort_keys=True) if isinstance(value, dict | list | tuple) else value
    return flat
