"""Metrics by models that are trained on training rows, on distilled rows or on both."""

from distillkit.metrics.models._gradient_metrics import (
    GradientAgreement,
    compare_gradients,
    gradient_distance,
    gradient_similarity,
)
from distillkit.metrics.models._influence import influence, influences
from distillkit.metrics.models._meta_loss import meta_loss
from distillkit.metrics.models._two_sample import TwoSampleTest, two_sample_accuracy, two_sample_auc, two_sample_test

__all__ = [
    "GradientAgreement",
    "TwoSampleTest",
    "compare_gradients",
    "gradient_distance",
    "gradient_similarity",
    "influence",
    "influences",
    "meta_loss",
    "two_sample_accuracy",
    "two_sample_auc",
    "two_sample_test",
]
