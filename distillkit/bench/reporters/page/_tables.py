"""The first rows of distilled tables, as texts for the drawer of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData
from distillkit.bench.reporters._pictures import MAX_FILE, first_sets

__all__ = ["make_table_rows"]

MAX_TABLES = 400
_ROWS, _COLUMNS = 5, 12


def make_table_rows(leaderboard: LeaderboardData) -> tuple[list[dict[str, Any]], int]:
    """Return the first rows of each distilled table, for the smallest seed that has one.

    Parameters
    ----------
    leaderboard : LeaderboardData

    Returns
    -------
    tables : list of dict
        ``dataset``, ``method``, ``budget``, ``head``, ``rows`` (both of texts) and ``note``, which
        says what is shown, or why nothing is.
    left_out : int
        Number of tables beyond `MAX_TABLES`.
    """
    rows = first_sets(leaderboard, ("table",))
    tables = [_table(row, leaderboard.folder) for row in rows[:MAX_TABLES]]
    return tables, max(0, len(rows) - MAX_TABLES)


def _table(row: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    from distillkit.distilled import DistilledSet

    path = Path(row["artefact"]) if folder is None else folder / row["artefact"]
    place = {name: row[name] for name in ("dataset", "method", "budget")}
    try:
        if path.is_file() and path.stat().st_size > MAX_FILE:
            return {**place, "head": [], "rows": [], "note": f"not shown: more than {MAX_FILE // 2**20} MB"}
        frame = DistilledSet.load(path).to_pandas()
    except Exception as exc:  # A damaged artefact must not prevent the report.
        note = f"no rows: {exc}".replace(str(path), row["artefact"])
        return {**place, "head": [], "rows": [], "note": note}
    n_rows, n_columns = frame.shape
    shown = frame.head(_ROWS)
    names, middle = [str(name) for name in shown.columns], n_columns > _COLUMNS
    texts = [[_text(value) for value in line] for line in shown.itertuples(index=False, name=None)]
    if middle:  # The last columns hold target and weight.
        half = _COLUMNS // 2
        names = [*names[:half], "…", *names[-half:]]
        texts = [[*line[:half], "…", *line[-half:]] for line in texts]
    width = f", {n_columns} columns" if middle else ""
    note = f"seed {row['distil_seed']}; the first {len(shown)} of {n_rows:,} rows{width}"
    return {**place, "head": names, "rows": texts, "note": note}


def _text(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
