"""Lets apricot compile its loops once in a process, instead of in each fit."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module

__all__ = ["compile_once"]


@cache
def compile_once() -> None:
    """Remember the loops that apricot has compiled.

    Its selectors call functions named ``calculate_gains...``, which compile a loop for some types
    and options, in each fit anew, which takes several seconds. They have no other effect, so that
    their results can be kept.
    """
    import_module("apricot")
    for name, module in list(sys.modules.items()):
        if name.startswith("apricot.functions."):
            for key, value in list(vars(module).items()):
                if key.startswith("calculate_gains") and callable(value):
                    setattr(module, key, cache(value))
