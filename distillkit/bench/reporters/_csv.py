"""Writes the leaderboard as CSV files: its table, and the rows of all finished cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData

__all__ = ["write"]


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
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    table, rows = folder / "leaderboard.csv", folder / "rows.csv"
    leaderboard.table.to_csv(table, index=False, lineterminator="\n", errors="backslashreplace")
    flat = [_flatten(row) for row in leaderboard.rows]
    names = list(dict.fromkeys(name for row in flat for name in row if not name.startswith("metrics.")))
    metrics = sorted({name for row in flat for name in row if name.startswith("metrics.")})
    pd.DataFrame(flat, columns=[*names, *metrics]).to_csv(
        rows, index=False, lineterminator="\n", errors="backslashreplace"
    )
    return [table, rows]


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
