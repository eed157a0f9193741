"""Leaderboards of distillkit in an MLflow tracking store."""

from __future__ import annotations

from distillkit_mlflow._reporter import write

__all__ = ["write"]
