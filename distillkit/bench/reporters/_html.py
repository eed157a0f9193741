"""Writes the leaderboard as one self-contained HTML page, which loads nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from distillkit.bench.leaderboard import LeaderboardData
from distillkit.bench.reporters.page import render_page

__all__ = ["render_html", "write"]


def write(leaderboard: LeaderboardData, folder: Path) -> list[Path]:
    """Write ``leaderboard.html``, a page that needs no other file.

    Parameters
    ----------
    leaderboard : LeaderboardData
    folder : Path
        Created if it does not exist.

    Returns
    -------
    list of Path
        The file written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "leaderboard.html"
    path.write_text(render_html(leaderboard), encoding="utf-8", errors="backslashreplace")
    return [path]


def render_html(leaderboard: LeaderboardData) -> str:
    """Return the page as text, with escaped texts and inline pictures.

    Parameters
    ----------
    leaderboard : LeaderboardData
    """
    return render_page(leaderboard)
