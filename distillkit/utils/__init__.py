"""Helpers that do not depend on distillers: containers, targets, JSON, seeds, names, versions."""

from distillkit.utils._public_names import new_instance

__all__ = ["new_instance"]
