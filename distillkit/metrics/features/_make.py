"""Makes the feature extractor that a parameter `features` describes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distillkit.exceptions import UnknownNameError
from distillkit.metrics.features._base import Extractor
from distillkit.metrics.features._rows import PcaExtractor, RowsExtractor, ValuesExtractor

__all__ = ["EXTRACTORS", "make_extractor"]

EXTRACTORS: dict[str, Callable[[int], Extractor]] = {
    "values": lambda _: ValuesExtractor(),
    "rows": lambda _: RowsExtractor(),
    "pca": lambda _: PcaExtractor(),
}
"""The named extractors, each a function of the random state."""


def make_extractor(features: Any = None, random_state: int = 0) -> Extractor:
    """Return the feature extractor that a parameter describes.

    Parameters
    ----------
    features : str, Extractor or None
        A name of `EXTRACTORS`: "values" for the rows in their own units, "rows" for standardized
        rows, "pca" for principal components. None is "values".
    random_state : int, default=0
        Seed of extractors that draw at random.

    Returns
    -------
    Extractor
        Not yet fitted.

    Raises
    ------
    UnknownNameError
        If there is no extractor of this name.
    """
    if isinstance(features, Extractor):
        return features
    name = "values" if features is None else features
    if name not in EXTRACTORS:
        raise UnknownNameError("feature extractor", name, EXTRACTORS)
    return EXTRACTORS[name](random_state)
