"""The library that draws the charts, as one text that a page can hold.

Vega-Lite (BSD 3-clause license) comes with the Python package ``vl-convert-python``, so that a page
is made without a connection. Its expressions are interpreted, not compiled, because the page's
policy forbids a script to make code from text.
"""

from __future__ import annotations

import base64
import functools
import zlib

__all__ = ["HINT", "packed", "packed_library"]

HINT = (
    "Charts need the package vl-convert-python, which was not installed when this page was written. "
    "Install it with `pip install vl-convert-python`, and write the page again with `distillkit report`. "
    "The tables below hold every number."
)
"""What a page without the library says in place of its charts."""


@functools.cache
def packed_library() -> str:
    """Return the library of the charts, packed; empty if its package is not installed."""
    try:
        import vl_convert
    except ImportError:
        return ""
    return packed(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def packed(text: str) -> str:
    """Return a text compressed by zlib and encoded in base64, which the page unpacks itself."""
    # A fixed level, so that equal texts give equal pages.
    return base64.b64encode(zlib.compress(text.encode("utf-8", "backslashreplace"), 9)).decode("ascii")
