"""Reporters, which write a leaderboard as text, Markdown, CSV or HTML.

The registry refers to each one as ``distillkit.bench.reporters._<name>:write``.
"""

from __future__ import annotations

from distillkit.bench.reporters._csv import write as write_csv
from distillkit.bench.reporters._html import render_html
from distillkit.bench.reporters._html import write as write_html
from distillkit.bench.reporters._markdown import render_markdown
from distillkit.bench.reporters._markdown import write as write_markdown
from distillkit.bench.reporters._panel_rows import panel_rows
from distillkit.bench.reporters._terminal import render_scores, render_terminal, render_text
from distillkit.bench.reporters._terminal import write as write_terminal

__all__ = [
    "panel_rows",
    "render_html",
    "render_markdown",
    "render_scores",
    "render_terminal",
    "render_text",
    "write_csv",
    "write_html",
    "write_markdown",
    "write_terminal",
]
