"""Synthesis: distillers that learn a generator of new rows for classes or numbers.

`GANSynthesizer` loads torch when it is first used; the others need none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillkit.synthesis._gan import GANSynthesizer as GANSynthesizer
    from distillkit.synthesis._saving import load_synthesizer as load_synthesizer
    from distillkit.synthesis.controls._copula import CopulaSynthesizer as CopulaSynthesizer
    from distillkit.synthesis.controls._interpolation import InterpolationSynthesizer as InterpolationSynthesizer
    from distillkit.synthesis.controls._mixture import MixtureSynthesizer as MixtureSynthesizer
    from distillkit.synthesis.controls._surrogates import SurrogateSynthesizer as SurrogateSynthesizer
    from distillkit.synthesis.forest._forest_synthesizer import ForestSynthesizer as ForestSynthesizer
    from distillkit.synthesis.trees._tree_synthesizer import TreeSynthesizer as TreeSynthesizer

_HOMES = {
    "CopulaSynthesizer": "controls._copula",
    "ForestSynthesizer": "forest._forest_synthesizer",
    "InterpolationSynthesizer": "controls._interpolation",
    "MixtureSynthesizer": "controls._mixture",
    "SurrogateSynthesizer": "controls._surrogates",
    "GANSynthesizer": "_gan",
    "TreeSynthesizer": "trees._tree_synthesizer",
    "load_synthesizer": "_saving",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 (a list of strings)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
