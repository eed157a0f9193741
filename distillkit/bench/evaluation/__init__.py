"""Evaluates distilled sets by training models on them and measuring these on held-out test rows."""

from distillkit.bench.evaluation._evaluate import evaluate

__all__ = ["evaluate"]
