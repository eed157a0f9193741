"""Compositions of distillers with scikit-learn estimators: pipelines and a meta-estimator."""

from distillkit.pipeline._distilled import Distilled
from distillkit.pipeline._pipeline import Pipeline, make_pipeline

__all__ = ["Distilled", "Pipeline", "make_pipeline"]
