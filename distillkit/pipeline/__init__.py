"""Compositions of distillers with scikit-learn's estimators."""

from distillkit.pipeline._distilled import Distilled
from distillkit.pipeline._pipeline import Pipeline, make_pipeline

__all__ = ["Distilled", "Pipeline", "make_pipeline"]
