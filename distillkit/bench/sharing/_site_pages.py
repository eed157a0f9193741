"""Writes the pages of a published site: an index, leaderboards, and the files for contributions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from distillkit.bench.leaderboard._leaderboard import LeaderboardData
from distillkit.plugins import get_manager

__all__ = ["write_pages"]

HERE = Path(__file__).parent / "templates"
_MOST_METHODS = 3


def write_pages(site: Path, boards: Mapping[str, LeaderboardData]) -> list[Path]:
    """Write the leaderboards by all built-in reporters, the index, and the files of the repository.

    A README and a workflow that are there already stay as they are.

    Parameters
    ----------
    site : Path
    boards : mapping of str to LeaderboardData
        Leaderboards by suite.

    Returns
    -------
    list of Path
        The files written.
    """
    manager = get_manager()
    files: list[Path] = []
    for suite, board in boards.items():
        for name in manager.short_specs("reporter"):
            if manager.provider("reporter", name).dist == "distillkit":
                files += manager.get("reporter", name).load()(board, site / "leaderboards" / suite)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    entries = [_entry(suite, board) for suite, board in boards.items()]
    index = site / "index.html"
    index.write_text(environment.get_template("index.html.j2").render(suites=entries), encoding="utf-8")
    files.append(index)
    for template, name in (("README.md", "README.md"), ("verify.yml", ".github/workflows/verify.yml")):
        path = site / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((HERE / template).read_text(encoding="utf-8"), encoding="utf-8")
            files.append(path)
    return files


def _entry(suite: str, board: LeaderboardData) -> dict[str, Any]:
    """Return what the index says of a leaderboard."""
    table = board.table
    ranked = table[table["rank"] == 1] if len(table) else table
    firsts = ranked["method"].value_counts().head(_MOST_METHODS)
    return {
        "name": suite,
        "description": board.description,
        "rows": board.n_done,
        "ok": board.n_ok,
        "datasets": sorted(set(table["dataset"])) if len(table) else [],
        "methods": int(table["method"].nunique()) if len(table) else 0,
        "firsts": [(method, int(count)) for method, count in firsts.items()],
        "notes": board.notes,
    }
