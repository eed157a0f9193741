"""Feature extractors: maps from rows to the features in which distributions are compared."""

from distillkit.metrics.features._base import Extractor, ScaledExtractor
from distillkit.metrics.features._make import EXTRACTORS, make_extractor
from distillkit.metrics.features._rows import PcaExtractor, RowsExtractor, ValuesExtractor

__all__ = [
    "EXTRACTORS",
    "Extractor",
    "PcaExtractor",
    "RowsExtractor",
    "ScaledExtractor",
    "ValuesExtractor",
    "make_extractor",
]
