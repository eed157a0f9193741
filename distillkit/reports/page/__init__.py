"""The page of a report on one small set: one file, or an element of a notebook."""

from distillkit.reports.page._render import render_fragment, render_page

__all__ = ["render_fragment", "render_page"]
