"""Makes the feature extractor that a parameter `features` describes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from distillkit.exceptions import UnknownNameError
from distillkit.metrics.features._base import Extractor
from distillkit.metrics.features._inception import InceptionExtractor
from distillkit.metrics.features._networks import ClassifierExtractor, RandomExtractor
from distillkit.metrics.features._own import own_extractor
from distillkit.metrics.features._rows import PcaExtractor, RowsExtractor, ValuesExtractor

__all__ = ["EXTRACTORS", "make_extractor"]

EXTRACTORS: dict[str, Callable[[int], Extractor]] = {
    "values": lambda _: ValuesExtractor(),
    "rows": lambda _: RowsExtractor(),
    "pca": lambda _: PcaExtractor(),
    "random": RandomExtractor,
    "classifier": ClassifierExtractor,
    "inception": lambda _: InceptionExtractor(),
}
"""The named extractors, each a function of the random state."""


def make_extractor(features: Any = None, random_state: int = 0) -> Extractor:
    """Return the feature extractor that a parameter describes.

    Parameters
    ----------
    features : str, object or None
        A name of `EXTRACTORS`: "values" for the rows in their own units, "rows" for standardized
        rows, "pca" for their first 64 principal components, "random" for a network with random
        weights, "classifier" for a small classifier that is trained on the training rows, and
        "inception" for Inception v3 if its weights are on disk. None is "values". Or an object: a
        transformer of scikit-learn, a module of torch, a function of rows, or an `Extractor`. A
        copy of a given `Extractor` is fitted.
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
    DataError
        If an object cannot extract features.
    """
    if isinstance(features, Extractor):
        return copy.copy(features)
    name = "values" if features is None else features
    if not isinstance(name, str):
        return own_extractor(name)
    if name not in EXTRACTORS:
        raise UnknownNameError("feature extractor", name, EXTRACTORS)
    return EXTRACTORS[name](random_state)
