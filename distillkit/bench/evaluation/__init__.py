"""Models trained on distilled sets and judged on rows that no method has seen."""

from distillkit.bench.evaluation._evaluate import evaluate

__all__ = ["evaluate"]
