"""The page of a leaderboard: one HTML file with tables, charts and what is behind each number."""

from distillkit.bench.reporters.page._render import render_page

__all__ = ["render_page"]
